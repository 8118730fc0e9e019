-- Findings and incidents as they changed lately, every change a row. Clocks of analysts that take over from each other may differ.
SELECT *
FROM
(
    SELECT 'finding' AS type, f.id AS id, toString(f.version) AS version, f.at AS at, f.kind AS kind, f.sub_kind AS sub_kind, f.cause AS cause, f.severity AS severity,
        f.confidence AS confidence, f.status AS status, f.first_seen AS first_seen, f.last_seen AS last_seen, f.resolved_at AS resolved_at, f.scope AS scope,
        f.metrics AS metrics, f.explanation AS explanation, f.evidence AS evidence, f.limits AS list, f.incident_id AS incident_id, f.reopened AS reopened,
        '' AS entity, '' AS name
    FROM ribscope.findings_log AS f
    WHERE f.at > {after:DateTime64(6, 'UTC')} - toIntervalSecond({overlap:UInt32})
    UNION ALL
    SELECT 'incident', i.id, toString(i.version), i.at, '', '', i.cause, i.severity, '', i.status, i.first_seen, i.last_seen, NULL, '', '', '', '', i.findings, '', 0,
        i.entity, i.name
    FROM ribscope.incidents_log AS i
    WHERE i.at > {after:DateTime64(6, 'UTC')} - toIntervalSecond({overlap:UInt32})
)
ORDER BY at, type, id, toUInt64(version)
