-- The server decides when the rows arrive: an analyst that slept through the loss of its lease changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.incidents_offered_mv TO ribscope.incidents_log AS
SELECT id, version, at, cause, entity, name, severity, status, first_seen, last_seen, findings
FROM ribscope.incidents_offered
WHERE term = (SELECT max(l.term) FROM ribscope.analyst_lease AS l)
