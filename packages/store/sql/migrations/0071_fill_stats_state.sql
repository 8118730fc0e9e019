INSERT INTO ribscope.stats_state (router, peer_key, rib, stat_type, afi, safi, pos, value)
SELECT router, peer_key, rib, stat_type, afi, safi, toUInt64(bmp_session * 4096 + seq) AS pos, value
FROM ribscope.stats_log
WHERE stat_type BETWEEN 7 AND 10
