-- Findings grouped by what lies behind them, with the last state of each group.
CREATE OR REPLACE VIEW ribscope.incidents AS
SELECT i.id AS id, i.cause AS cause, i.entity AS entity, i.name AS name, i.severity AS severity, i.status AS status,
    i.first_seen AS first_seen, i.last_seen AS last_seen, i.findings AS findings
FROM ribscope.incidents_log AS i FINAL
ORDER BY i.id, i.version DESC
LIMIT 1 BY i.id
