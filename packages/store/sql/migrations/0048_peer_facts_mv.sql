CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.peer_facts_mv TO ribscope.peer_facts AS
SELECT
    router, peer_key,
    max(toUInt8(arrayExists(a -> a != peer_asn, if(bitTest(flags, 3), arraySlice(as_path, 2), as_path)) OR (originator_id != 0 AND originator_id != peer_bgp_id))) AS passes_on,
    max(toUInt8(originator_id != 0 AND originator_id != peer_bgp_id)) AS reflects,
    countIf(afi IN (1, 2)) AS unicast, countIf(afi = 25) AS evpn
FROM ribscope.route_log
WHERE action = 'announce' AND rib IN ('adj_in_pre', 'adj_in_post')
GROUP BY router, peer_key
