CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.tracked_changes_mv TO ribscope.tracked_changes AS
SELECT now64(6, 'UTC') AS inserted_at, addr, bits, afi, min(rx_ts) AS rx_ts
FROM ribscope.route_log
WHERE afi = 25 OR peer_rd != 0 OR (bitAnd(bitShiftRight(flags, 16), 7) = 4 AND bits = 32) OR (bitAnd(bitShiftRight(flags, 16), 7) = 6 AND bits = 128)
    OR (addr, bits) IN (SELECT addr, bits FROM ribscope.fabric_vips)
    OR (bitAnd(bitShiftRight(flags, 16), 7) != 0 AND arrayExists(s -> addr >= s.1 AND addr <= s.2, (SELECT groupArray((lo, hi)) FROM ribscope.fabric_segments WHERE kind = 'vip')))
    OR hasAny(communities, (SELECT groupArray(community) FROM ribscope.fabric_segments WHERE kind = 'community'))
GROUP BY addr, bits, afi
