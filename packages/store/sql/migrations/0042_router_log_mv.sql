CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.router_log_mv TO ribscope.router_log AS
SELECT addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos, bmp_session, rx_ts, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, vrf, action, flags, next_hop, as_path, med, local_pref, communities, ext_communities, labels, originator_id, vni, attr_hash, fwd_hash, more, now64(3, 'UTC') AS stored_at
FROM ribscope.route_log
