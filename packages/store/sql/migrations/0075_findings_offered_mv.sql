-- The server decides when the rows arrive: an analyst that slept through the loss of its lease changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.findings_offered_mv TO ribscope.findings_log AS
SELECT id, version, at, kind, sub_kind, cause, severity, confidence, status, first_seen, last_seen, resolved_at, scope, metrics, explanation, evidence, limits, incident_id, reopened
FROM ribscope.findings_offered
WHERE term = (SELECT max(l.term) FROM ribscope.analyst_lease AS l)
