-- What was stored before there were aggregates. Again after a crash, or counted meanwhile by the materialized view: sets.
INSERT INTO ribscope.churn_minutes (router, rib, afi, safi, minute, bmp_session, dumped, announces, withdraws)
SELECT
    router, rib, afi, safi, toStartOfMinute(rx_ts) AS minute, bmp_session,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'announce' AND NOT bitTest(flags, 13)) AS dumped,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'announce' AND bitTest(flags, 13)) AS announces,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'withdraw') AS withdraws
FROM ribscope.route_log
WHERE kept = 0
GROUP BY router, rib, afi, safi, minute, bmp_session
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000
