CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.session_minutes_mv TO ribscope.session_minutes AS
SELECT
    router, toStartOfMinute(rx_ts) AS minute,
    groupBitmapStateIf(toUInt64(bmp_session * 4096 + seq), kind = 'bmp_up') AS bmp_ups,
    groupBitmapStateIf(toUInt64(bmp_session * 4096 + seq), kind = 'bmp_down') AS bmp_downs,
    groupBitmapStateIf(toUInt64(bmp_session * 4096 + seq), kind = 'peer_up' AND synthetic = 0) AS peer_ups,
    groupBitmapStateIf(toUInt64(bmp_session * 4096 + seq), kind = 'peer_down' AND counted = 1) AS peer_downs
FROM ribscope.session_log
WHERE kind IN ('bmp_up', 'bmp_down', 'peer_up', 'peer_down')
GROUP BY router, minute
