-- Every finding that was ever opened, with its last state.
CREATE OR REPLACE VIEW ribscope.findings AS
SELECT f.id AS id, f.kind AS kind, f.sub_kind AS sub_kind, f.cause AS cause, f.severity AS severity, f.confidence AS confidence, f.status AS status,
    f.first_seen AS first_seen, f.last_seen AS last_seen, f.resolved_at AS resolved_at, f.scope AS scope, f.metrics AS metrics, f.explanation AS explanation,
    f.evidence AS evidence, f.limits AS limits, f.incident_id AS incident_id, f.reopened AS reopened, f.version AS changes
FROM ribscope.findings_log AS f FINAL
ORDER BY f.id, f.version DESC
LIMIT 1 BY f.id
