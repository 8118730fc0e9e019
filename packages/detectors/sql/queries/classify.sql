-- Classify what is new, once: rows of the watched prefixes that changed since the last round, at or after the first new event.
INSERT INTO ribscope.route_transitions (afi, safi, addr, bits, router, peer_key, rib, nlri_key, path_id, pos, implied, action, class, cause, prior_gshut, rx_ts, ip_version, bmp_session, seq, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, phase, vrf, rd, next_hop, origin, as_path, med, local_pref, communities, ext_communities, originator_id, evpn_type, esi, eth_tag, mac, gw_ip, vni, vni2, rmac, mm_seq, link_bw, encap, flags, attr_hash, fwd_hash)
SELECT afi, safi, addr, bits, router, peer_key, rib, nlri_key, path_id, pos, implied, action, class, cause, prior_gshut, rx_ts, ip_version, bmp_session, seq, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, phase, vrf, rd, next_hop, origin, as_path, med, local_pref, communities, ext_communities, originator_id, evpn_type, esi, eth_tag, mac, gw_ip, vni, vni2, rmac, mm_seq, link_bw, encap, flags, attr_hash, fwd_hash
FROM ribscope.route_class
WHERE (addr, bits) IN (SELECT addr, bits FROM ribscope.tracked_changes WHERE inserted_at > {changed_after:DateTime64(6, 'UTC')})
    AND class NOT IN ('AADUP', 'WWDUP')
    AND rx_ts >= {since:DateTime64(6, 'UTC')}
