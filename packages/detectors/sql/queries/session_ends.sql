-- How many sessions ever ended.
SELECT countIf(kind = 'bmp_down') + (SELECT count() FROM ribscope.silent_sessions) AS feeds, countIf(kind = 'peer_down' AND counted) AS peers
FROM ribscope.session_log
WHERE kind IN ('bmp_down', 'peer_down')
