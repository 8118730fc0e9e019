INSERT INTO ribscope.prefix_churn_hours (hour, addr, bits, family, rib, router, ip_version, announces, withdraws)
SELECT
    toStartOfHour(rx_ts) AS hour, addr, bits, toUInt16(afi * 256 + safi) AS family, rib, any(l.router) AS router,
    max(toUInt8(bitAnd(bitShiftRight(flags, 16), 7))) AS ip_version,
    uniqExactStateIf(pos, action = 'announce') AS announces,
    uniqExactStateIf(pos, action = 'withdraw') AS withdraws
FROM ribscope.route_log AS l
WHERE bitTest(flags, 13) AND bitAnd(bitShiftRight(flags, 16), 7) != 0 AND kept = 0
GROUP BY hour, addr, bits, family, rib, cityHash64(l.router)
SETTINGS max_partitions_per_insert_block = 0, max_bytes_before_external_group_by = 1000000000
