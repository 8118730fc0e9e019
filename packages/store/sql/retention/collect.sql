-- Streams: merging by key is what the engine of retained_routes does.
INSERT INTO ribscope.retained_routes (addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos, bmp_session, rx_ts, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, vrf, action, flags, next_hop, as_path, med, local_pref, communities, ext_communities, labels, originator_id, vni, attr_hash, fwd_hash, more)
SELECT addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos, bmp_session, rx_ts, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, vrf, action, flags, next_hop, as_path, med, local_pref, communities, ext_communities, labels, originator_id, vni, attr_hash, fwd_hash, more
FROM ribscope.route_log
WHERE _partition_id IN ({partitions:Array(String)})
SETTINGS optimize_on_insert = 0, max_partitions_per_insert_block = 0
