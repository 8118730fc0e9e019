SELECT id, cause, entity, name, severity, status, toString(toUnixTimestamp64Micro(first_seen)) AS first_seen, toString(toUnixTimestamp64Micro(last_seen)) AS last_seen, findings, toString(version) AS version
FROM ribscope.incidents_log FINAL
ORDER BY id, version DESC
LIMIT 1 BY id
LIMIT 10000
