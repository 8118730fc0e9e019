-- Every row of the log with its class (DETECTORS.md A.2, the definition) and every implied withdrawal at the moment at which the
-- route ended without a word, with its cause. Binary columns; route_event_class and route_history render it.
--   NEW     announced, never seen                  AADUP  announced again, nothing changed
--   AAATTR  other attributes, same way             AADIFF another way (implicit withdrawal)
--   AW      withdrawn                              WADUP / WADIFF  back by the same way / another way
--   WWDUP   withdrawn though it was not announced
-- An announcement ends at the least mark position P whose sweep covers it (before > pos), when no row of the route came first.
CREATE OR REPLACE VIEW ribscope.route_class AS
WITH
    (SELECT (arrayPushBack(groupArray(m.h), toUInt64(0)), arrayPushBack(groupArray(m.a), CAST([], 'Array(Tuple(UInt64, UInt64, DateTime64(6, \'UTC\'), String))')))
     FROM (SELECT cityHash64(toString(router), peer_key, toInt8(rib), afi, safi) AS h, groupArray((before, pos, rx_ts, toString(cause))) AS a
           FROM ribscope.marks FINAL WHERE effect = 'sweep' GROUP BY h) AS m) AS sweeps
SELECT
    router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id, ip_version, bmp_session, seq, bmp_ts, collector, router_addr, peer_epoch, peer_addr, peer_asn, peer_bgp_id, peer_rd, phase, vrf, rd, labels, next_hop, next_hop_ll, origin, as_path, as_path_sets, med, local_pref, communities, ext_communities, large_communities, originator_id, cluster_list, evpn_type, esi, eth_tag, mac, gw_ip, vni, vni2, rmac, mm_seq, link_bw, encap, d_path, flags, attr_hash, fwd_hash, unknown_attrs, decode_errors,
    x.1 AS implied, x.2 AS pos, x.3 AS rx_ts, CAST(x.4, 'Enum8(\'announce\' = 1, \'withdraw\' = 2)') AS action, x.5 AS cause, x.6 AS class,
    prior_gshut
FROM (
    SELECT * EXCEPT (action, pos, rx_ts),
        prev_pos = 0 OR NOT prev_up OR prev_kill < pos AS was_down,
        multiIf(up AND prev_pos = 0, 'NEW', up AND was_down, if(seen AND last_fwd = fwd_hash, 'WADUP', 'WADIFF'),
            up, multiIf(last_attr = attr_hash, 'AADUP', last_fwd = fwd_hash, 'AAATTR', 'AADIFF'), was_down, 'WWDUP', 'AW') AS own_class,
        arrayJoin(if(up AND kill_pos < next_pos,
            [(0, pos, rx_ts, toInt8(action), 'update', own_class), (1, kill_pos, killer.3, 2, killer.4, 'AW')],
            [(0, pos, rx_ts, toInt8(action), 'update', own_class)])) AS x
    FROM (
        SELECT *,
            arrayFirst(m -> m.2 = kill_pos, swept) AS killer,
            lagInFrame(pos, 1, 0) OVER w AS prev_pos, lagInFrame(up, 1, 0) OVER w AS prev_up, lagInFrame(kill_pos, 1, 0) OVER w AS prev_kill,
            leadInFrame(pos, 1, toUInt64(-1)) OVER w AS next_pos,
            max(up) OVER b AS seen, anyLastIf(fwd_hash, up) OVER b AS last_fwd, anyLastIf(attr_hash, up) OVER b AS last_attr,
            -- 65535:0, RFC 8326
            anyLastIf(has(communities, 4294901760), up) OVER b AS prior_gshut
        FROM (
            SELECT e.router AS router, e.peer_key AS peer_key, e.rib AS rib, e.afi AS afi, e.safi AS safi, e.addr AS addr, e.bits AS bits, e.nlri_key AS nlri_key, e.path_id AS path_id, e.ip_version AS ip_version, e.bmp_session AS bmp_session, e.seq AS seq, e.bmp_ts AS bmp_ts, e.collector AS collector, e.router_addr AS router_addr, e.peer_epoch AS peer_epoch, e.peer_addr AS peer_addr, e.peer_asn AS peer_asn, e.peer_bgp_id AS peer_bgp_id, e.peer_rd AS peer_rd, e.phase AS phase, e.vrf AS vrf, e.rd AS rd, e.labels AS labels, e.next_hop AS next_hop, e.next_hop_ll AS next_hop_ll, e.origin AS origin, e.as_path AS as_path, e.as_path_sets AS as_path_sets, e.med AS med, e.local_pref AS local_pref, e.communities AS communities, e.ext_communities AS ext_communities, e.large_communities AS large_communities, e.originator_id AS originator_id, e.cluster_list AS cluster_list, e.evpn_type AS evpn_type, e.esi AS esi, e.eth_tag AS eth_tag, e.mac AS mac, e.gw_ip AS gw_ip, e.vni AS vni, e.vni2 AS vni2, e.rmac AS rmac, e.mm_seq AS mm_seq, e.link_bw AS link_bw, e.encap AS encap, e.d_path AS d_path, e.flags AS flags, e.attr_hash AS attr_hash, e.fwd_hash AS fwd_hash, e.unknown_attrs AS unknown_attrs, e.decode_errors AS decode_errors, e.rx_ts AS rx_ts, e.action AS action, e.pos AS pos, e.action = 'announce' AS up,
                arrayConcat(
                    sweeps.2[transform(cityHash64(toString(e.router), toUInt64(0), toInt8(0), toUInt16(0), toUInt8(0)), sweeps.1, arrayEnumerate(sweeps.1), 0)],
                    sweeps.2[transform(cityHash64(toString(e.router), e.peer_key, toInt8(0), toUInt16(0), toUInt8(0)), sweeps.1, arrayEnumerate(sweeps.1), 0)],
                    sweeps.2[transform(cityHash64(toString(e.router), e.peer_key, toInt8(0), e.afi, e.safi), sweeps.1, arrayEnumerate(sweeps.1), 0)],
                    sweeps.2[transform(cityHash64(toString(e.router), e.peer_key, toInt8(e.rib), e.afi, e.safi), sweeps.1, arrayEnumerate(sweeps.1), 0)]) AS swept,
                arrayMin(arrayPushBack(arrayMap(m -> if(m.1 > e.pos, m.2, toUInt64(-1)), swept), toUInt64(-1))) AS kill_pos
            FROM ribscope.route_log AS e FINAL
        )
        WINDOW
            w AS (PARTITION BY addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
            b AS (PARTITION BY addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
)
