-- Classify what new marks may have ended: watched routes of their scopes.
INSERT INTO ribscope.route_transitions (afi, safi, addr, bits, router, peer_key, rib, nlri_key, path_id, pos, implied, action, class, cause, prior_gshut, rx_ts, ip_version, bmp_session, seq, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, phase, vrf, rd, next_hop, origin, as_path, med, local_pref, communities, ext_communities, originator_id, evpn_type, esi, eth_tag, mac, gw_ip, vni, vni2, rmac, mm_seq, link_bw, encap, flags, attr_hash, fwd_hash)
SELECT afi, safi, addr, bits, router, peer_key, rib, nlri_key, path_id, pos, implied, action, class, cause, prior_gshut, rx_ts, ip_version, bmp_session, seq, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, phase, vrf, rd, next_hop, origin, as_path, med, local_pref, communities, ext_communities, originator_id, evpn_type, esi, eth_tag, mac, gw_ip, vni, vni2, rmac, mm_seq, link_bw, encap, flags, attr_hash, fwd_hash
FROM ribscope.route_class
WHERE (addr, bits) IN (
        SELECT s.addr, s.bits
        FROM ribscope.rib_state AS s
        INNER JOIN
        (
            SELECT DISTINCT router, peer_key FROM ribscope.marks WHERE effect = 'sweep' AND inserted_at > {marked_after:DateTime64(6, 'UTC')}
        ) AS m ON m.router = s.router
        WHERE (m.peer_key = 0 OR m.peer_key = s.peer_key)
            AND (s.afi = 25 OR s.peer_rd != 0 OR (s.ip_version = 4 AND s.bits = 32) OR (s.ip_version = 6 AND s.bits = 128) OR (s.addr, s.bits) IN (SELECT addr, bits FROM ribscope.fabric_vips))
    )
    AND class NOT IN ('AADUP', 'WWDUP')
    AND rx_ts >= {since:DateTime64(6, 'UTC')}
