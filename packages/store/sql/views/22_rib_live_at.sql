-- rib_live as it was at the instant `at` (receive time): one pass over the log, the same rule.
CREATE OR REPLACE VIEW ribscope.rib_live_at AS
WITH
-- include: fragments/floors_of_marks.sql
           FROM ribscope.marks WHERE rx_ts <= {at:DateTime64(6, 'UTC')} GROUP BY h) AS m) AS floors
SELECT
    s.router AS router, s.peer_key AS peer_key, s.rib AS rib, s.afi AS afi, s.safi AS safi, s.addr AS addr, s.bits AS bits, s.nlri_key AS nlri_key, s.path_id AS path_id, s.pos_ AS pos,
    s.ip_version_ AS ip_version, s.bmp_session_ AS bmp_session, s.seq_ AS seq, s.rx_ts_ AS rx_ts, s.bmp_ts_ AS bmp_ts, s.collector_ AS collector, s.router_addr_ AS router_addr, s.peer_epoch_ AS peer_epoch, s.peer_addr_ AS peer_addr, s.peer_asn_ AS peer_asn, s.peer_bgp_id_ AS peer_bgp_id, s.peer_rd_ AS peer_rd, s.phase_ AS phase, s.vrf_ AS vrf, s.action_ AS action, s.rd_ AS rd, s.labels_ AS labels, s.next_hop_ AS next_hop, s.next_hop_ll_ AS next_hop_ll, s.origin_ AS origin, s.as_path_ AS as_path, s.as_path_sets_ AS as_path_sets, s.med_ AS med, s.local_pref_ AS local_pref, s.communities_ AS communities, s.ext_communities_ AS ext_communities, s.large_communities_ AS large_communities, s.originator_id_ AS originator_id, s.cluster_list_ AS cluster_list, s.evpn_type_ AS evpn_type, s.esi_ AS esi, s.eth_tag_ AS eth_tag, s.mac_ AS mac, s.gw_ip_ AS gw_ip, s.vni_ AS vni, s.vni2_ AS vni2, s.rmac_ AS rmac, s.mm_seq_ AS mm_seq, s.link_bw_ AS link_bw, s.encap_ AS encap, s.d_path_ AS d_path, s.flags_ AS flags, s.attr_hash_ AS attr_hash, s.fwd_hash_ AS fwd_hash, s.unknown_attrs_ AS unknown_attrs, s.decode_errors_ AS decode_errors,
    toUInt8(s.pos_ <
-- include: fragments/stale_floor_of_s.sql
    ) AS stale
FROM (
    SELECT e.router AS router, e.peer_key AS peer_key, e.rib AS rib, e.afi AS afi, e.safi AS safi, e.addr AS addr, e.bits AS bits, e.nlri_key AS nlri_key, e.path_id AS path_id, max(e.pos) AS pos_,
        argMax(e.ip_version, e.pos) AS ip_version_,
        argMax(e.bmp_session, e.pos) AS bmp_session_,
        argMax(e.seq, e.pos) AS seq_,
        argMax(e.rx_ts, e.pos) AS rx_ts_,
        argMax(e.bmp_ts, e.pos) AS bmp_ts_,
        argMax(e.collector, e.pos) AS collector_,
        argMax(e.router_addr, e.pos) AS router_addr_,
        argMax(e.peer_epoch, e.pos) AS peer_epoch_,
        argMax(e.peer_addr, e.pos) AS peer_addr_,
        argMax(e.peer_asn, e.pos) AS peer_asn_,
        argMax(e.peer_bgp_id, e.pos) AS peer_bgp_id_,
        argMax(e.peer_rd, e.pos) AS peer_rd_,
        argMax(e.phase, e.pos) AS phase_,
        argMax(e.vrf, e.pos) AS vrf_,
        argMax(e.action, e.pos) AS action_,
        argMax(e.rd, e.pos) AS rd_,
        argMax(e.labels, e.pos) AS labels_,
        argMax(e.next_hop, e.pos) AS next_hop_,
        argMax(e.next_hop_ll, e.pos) AS next_hop_ll_,
        argMax(e.origin, e.pos) AS origin_,
        argMax(e.as_path, e.pos) AS as_path_,
        argMax(e.as_path_sets, e.pos) AS as_path_sets_,
        argMax(e.med, e.pos) AS med_,
        argMax(e.local_pref, e.pos) AS local_pref_,
        argMax(e.communities, e.pos) AS communities_,
        argMax(e.ext_communities, e.pos) AS ext_communities_,
        argMax(e.large_communities, e.pos) AS large_communities_,
        argMax(e.originator_id, e.pos) AS originator_id_,
        argMax(e.cluster_list, e.pos) AS cluster_list_,
        argMax(e.evpn_type, e.pos) AS evpn_type_,
        argMax(e.esi, e.pos) AS esi_,
        argMax(e.eth_tag, e.pos) AS eth_tag_,
        argMax(e.mac, e.pos) AS mac_,
        argMax(e.gw_ip, e.pos) AS gw_ip_,
        argMax(e.vni, e.pos) AS vni_,
        argMax(e.vni2, e.pos) AS vni2_,
        argMax(e.rmac, e.pos) AS rmac_,
        argMax(e.mm_seq, e.pos) AS mm_seq_,
        argMax(e.link_bw, e.pos) AS link_bw_,
        argMax(e.encap, e.pos) AS encap_,
        argMax(e.d_path, e.pos) AS d_path_,
        argMax(e.flags, e.pos) AS flags_,
        argMax(e.attr_hash, e.pos) AS attr_hash_,
        argMax(e.fwd_hash, e.pos) AS fwd_hash_,
        argMax(e.unknown_attrs, e.pos) AS unknown_attrs_,
        argMax(e.decode_errors, e.pos) AS decode_errors_
    FROM ribscope.route_log AS e
    WHERE e.rx_ts <= {at:DateTime64(6, 'UTC')}
    GROUP BY router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id
) AS s
WHERE s.action_ = 'announce' AND s.pos_ >=
-- include: fragments/swept_floor_of_s.sql
