SELECT id, kind, sub_kind, cause, severity, confidence, status, toString(toUnixTimestamp64Micro(first_seen)) AS first_seen, toString(toUnixTimestamp64Micro(last_seen)) AS last_seen,
    if(resolved_at IS NULL, NULL, toString(toUnixTimestamp64Micro(assumeNotNull(resolved_at)))) AS resolved_at, scope, metrics, explanation, evidence, limits, incident_id, reopened, toString(version) AS version
FROM ribscope.findings_log FINAL
ORDER BY id, version DESC
LIMIT 1 BY id
LIMIT 20000
