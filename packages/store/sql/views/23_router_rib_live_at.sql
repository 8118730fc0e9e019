-- rib_live_at for one router, out of the log in receive order: first where the last row of each route lies, then those rows.
-- router: as in the log, or its name in fabric.yaml.
CREATE OR REPLACE VIEW ribscope.router_rib_live_at AS
WITH
    -- The highest sweep and stale position of every scope (router, peer, one family of a peer in all its tables, one view of a peer):
    -- one hash table, four look-ups a route.
    (SELECT (arrayPushBack(groupArray(m.h), toUInt64(0)), arrayPushBack(groupArray(m.swept), toUInt64(0)), arrayPushBack(groupArray(m.stale), toUInt64(0)))
     FROM (SELECT cityHash64(toString(router), peer_key, toInt8(rib), afi, safi) AS h, maxIf(before, effect = 'sweep') AS swept, maxIf(before, effect = 'stale') AS stale
           FROM ribscope.marks WHERE rx_ts <= {at:DateTime64(6, 'UTC')} GROUP BY h) AS m) AS floors
SELECT
    s.router AS router, s.peer_key AS peer_key, s.rib AS rib, s.afi AS afi, s.safi AS safi, s.addr AS addr, s.bits AS bits, s.nlri_key AS nlri_key, s.path_id AS path_id, s.pos AS pos, s.ip_version AS ip_version, s.bmp_session AS bmp_session, s.seq AS seq, s.rx_ts AS rx_ts, s.bmp_ts AS bmp_ts, s.collector AS collector, s.router_addr AS router_addr, s.peer_epoch AS peer_epoch, s.peer_addr AS peer_addr, s.peer_asn AS peer_asn, s.peer_bgp_id AS peer_bgp_id, s.peer_rd AS peer_rd, s.phase AS phase, s.vrf AS vrf, s.action AS action, s.rd AS rd, s.labels AS labels, s.next_hop AS next_hop, s.next_hop_ll AS next_hop_ll, s.origin AS origin, s.as_path AS as_path, s.as_path_sets AS as_path_sets, s.med AS med, s.local_pref AS local_pref, s.communities AS communities, s.ext_communities AS ext_communities, s.large_communities AS large_communities, s.originator_id AS originator_id, s.cluster_list AS cluster_list, s.evpn_type AS evpn_type, s.esi AS esi, s.eth_tag AS eth_tag, s.mac AS mac, s.gw_ip AS gw_ip, s.vni AS vni, s.vni2 AS vni2, s.rmac AS rmac, s.mm_seq AS mm_seq, s.link_bw AS link_bw, s.encap AS encap, s.d_path AS d_path, s.flags AS flags, s.attr_hash AS attr_hash, s.fwd_hash AS fwd_hash, s.unknown_attrs AS unknown_attrs, s.decode_errors AS decode_errors,
    toUInt8(s.pos < greatest(transform(cityHash64(toString(s.router), toUInt64(0), toInt8(0), toUInt16(0), toUInt8(0)), floors.1, floors.3, toUInt64(0)),
        transform(cityHash64(toString(s.router), s.peer_key, toInt8(0), toUInt16(0), toUInt8(0)), floors.1, floors.3, toUInt64(0)),
        transform(cityHash64(toString(s.router), s.peer_key, toInt8(0), s.afi, s.safi), floors.1, floors.3, toUInt64(0)),
        transform(cityHash64(toString(s.router), s.peer_key, toInt8(s.rib), s.afi, s.safi), floors.1, floors.3, toUInt64(0)))) AS stale,
-- include: fragments/swept_floor_of_s.sql
        AS swept_floor
FROM
(
    SELECT e.*, e.ip_version AS ip_version, e.seq AS seq, e.phase AS phase, e.rd AS rd, e.next_hop_ll AS next_hop_ll, e.origin AS origin, e.as_path_sets AS as_path_sets,
        e.large_communities AS large_communities, e.cluster_list AS cluster_list, e.evpn_type AS evpn_type, e.esi AS esi, e.eth_tag AS eth_tag, e.mac AS mac, e.gw_ip AS gw_ip,
        e.vni2 AS vni2, e.rmac AS rmac, e.mm_seq AS mm_seq, e.link_bw AS link_bw, e.encap AS encap, e.d_path AS d_path, e.unknown_attrs AS unknown_attrs, e.decode_errors AS decode_errors
    FROM ribscope.router_log AS e
    WHERE e.router IN (SELECT {router:String} UNION ALL SELECT toString(f.router) FROM ribscope.fabric_routers AS f WHERE f.name = {router:String} AND f.router != '') AND e.rx_ts <= {at:DateTime64(6, 'UTC')} AND (e.router, e.pos) IN (
        SELECT o.router, max(o.pos) FROM ribscope.router_log AS o
        WHERE o.router IN (SELECT {router:String} UNION ALL SELECT toString(f.router) FROM ribscope.fabric_routers AS f WHERE f.name = {router:String} AND f.router != '') AND o.rx_ts <= {at:DateTime64(6, 'UTC')}
        GROUP BY o.router, cityHash64(o.peer_key, o.rib, o.afi, o.safi, o.addr, o.bits, o.nlri_key, o.path_id))
    -- A row that was delivered twice is one.
    LIMIT 1 BY e.router, e.pos
) AS s
WHERE s.action = 'announce' AND s.pos >= swept_floor
