INSERT INTO ribscope.router_log_next (addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos, bmp_session, rx_ts, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, vrf, action, flags, next_hop, as_path, med, local_pref, communities, ext_communities, labels, originator_id, vni, attr_hash, fwd_hash, more, kept, stored_at)
SELECT addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos, bmp_session, rx_ts, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, vrf, action, flags, next_hop, as_path, med, local_pref, communities, ext_communities, labels, originator_id, vni, attr_hash, fwd_hash, more, 1 AS kept, rx_ts AS stored_at
FROM ribscope.route_log_next
SETTINGS optimize_on_insert = 0
