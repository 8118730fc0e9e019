-- What was announced at the horizon stays, whatever its age: the states after it begin there.
INSERT INTO ribscope.route_log_next (addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos, bmp_session, rx_ts, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, vrf, action, flags, next_hop, as_path, med, local_pref, communities, ext_communities, labels, originator_id, vni, attr_hash, fwd_hash, more, kept)
WITH
    (SELECT (arrayPushBack(groupArray(m.h), toUInt64(0)), arrayPushBack(groupArray(m.swept), toUInt64(0)))
     FROM (SELECT cityHash64(toString(router), peer_key, toInt8(rib), afi, safi) AS h, maxIf(before, effect = 'sweep') AS swept
           FROM ribscope.marks WHERE rx_ts < {horizon:DateTime64(6, 'UTC')} GROUP BY h) AS m) AS floors
SELECT s.addr AS addr, s.bits AS bits, s.afi AS afi, s.safi AS safi, s.router AS router, s.peer_key AS peer_key, s.rib AS rib, s.nlri_key AS nlri_key, s.path_id AS path_id, s.pos AS pos, s.bmp_session AS bmp_session, s.rx_ts AS rx_ts, s.bmp_ts AS bmp_ts, s.collector AS collector, s.router_addr AS router_addr, s.peer_epoch AS peer_epoch, s.peer_addr AS peer_addr, s.peer_asn AS peer_asn, s.peer_bgp_id AS peer_bgp_id, s.peer_rd AS peer_rd, s.vrf AS vrf, s.action AS action, s.flags AS flags, s.next_hop AS next_hop, s.as_path AS as_path, s.med AS med, s.local_pref AS local_pref, s.communities AS communities, s.ext_communities AS ext_communities, s.labels AS labels, s.originator_id AS originator_id, s.vni AS vni, s.attr_hash AS attr_hash, s.fwd_hash AS fwd_hash, s.more AS more, 1 AS kept
FROM ribscope.retained_routes AS s FINAL
WHERE s.action = 'announce' AND s.pos >=
-- include: fragments/swept_floor_of_s.sql
SETTINGS optimize_on_insert = 0
