-- Findings that were open at some moment between two instants.
SELECT f.id AS id, f.kind AS kind, f.severity AS severity, f.status AS status, f.incident_id AS incident_id, f.scope AS scope
FROM ribscope.findings AS f
WHERE f.first_seen <= {to:DateTime64(6, 'UTC')} AND (f.status = 'open' OR ifNull(f.resolved_at, f.last_seen) >= {from:DateTime64(6, 'UTC')})
ORDER BY f.first_seen, f.id
LIMIT 5000
