-- kept = 0: a row that retention writes again was counted when it came.
CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.churn_minutes_mv TO ribscope.churn_minutes AS
SELECT
    router, rib, afi, safi, toStartOfMinute(rx_ts) AS minute, bmp_session,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'announce' AND NOT bitTest(flags, 13)) AS dumped,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'announce' AND bitTest(flags, 13)) AS announces,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'withdraw') AS withdraws
FROM ribscope.route_log
WHERE kept = 0
GROUP BY router, rib, afi, safi, minute, bmp_session
