CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.evpn_state_mv TO ribscope.evpn_state AS
SELECT
    pos * 2 + implied AS version, afi, safi, addr, bits, router, peer_key, rib, nlri_key, path_id, pos, implied, action,
    rx_ts AS since, ip_version, seq, rd, next_hop, as_path, communities, ext_communities, originator_id, evpn_type, esi, eth_tag, mac, gw_ip,
    vni, vni2, rmac, mm_seq, flags
FROM ribscope.route_transitions
WHERE afi = 25 AND safi = 70
