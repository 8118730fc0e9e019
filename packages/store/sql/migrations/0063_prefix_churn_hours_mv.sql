-- Rows of a first table end at the first condition. Keys of 32 octets, the hash for the name: grouping by the columns as they are
-- costs twice as much.
CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.prefix_churn_hours_mv TO ribscope.prefix_churn_hours AS
SELECT
    toStartOfHour(rx_ts) AS hour, addr, bits, toUInt16(afi * 256 + safi) AS family, rib, any(l.router) AS router,
    max(toUInt8(bitAnd(bitShiftRight(flags, 16), 7))) AS ip_version,
    uniqExactStateIf(pos, action = 'announce') AS announces,
    uniqExactStateIf(pos, action = 'withdraw') AS withdraws
FROM ribscope.route_log AS l
WHERE bitTest(flags, 13) AND bitAnd(bitShiftRight(flags, 16), 7) != 0 AND kept = 0
GROUP BY hour, addr, bits, family, rib, cityHash64(l.router)
