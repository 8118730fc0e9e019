    (SELECT (arrayPushBack(groupArray(rd), toUInt64(0)), arrayPushBack(groupArray(toString(vrf)), '')) FROM ribscope.fabric_rds) AS rds,
    (SELECT (arrayPushBack(groupArray(l3vni), toUInt32(0)), arrayPushBack(groupArray(toString(vrf)), '')) FROM ribscope.fabric_vrfs WHERE l3vni != 0) AS l3vnis,
    (SELECT (arrayPushBack(groupArray(key), '-'), arrayPushBack(groupArray(toString(node)), '')) FROM ribscope.fabric_node_keys) AS node_keys,
    paths AS
    (
        SELECT concat(if(t.ip_version = 4, substring(toString(t.addr), 8), toString(t.addr)), '/', toString(t.bits)) AS prefix,
            multiIf(t.afi = 25, if(transform(t.vni, l3vnis.1, l3vnis.2, '') AS vni_vrf != '', vni_vrf, concat('vni', toString(t.vni))),
                t.safi IN (76, 128, 129), if(transform(t.key_rd, rds.1, rds.2, '') AS rd_name != '', rd_name, concat('rd:', toString(t.key_rd))),
-- include: fragments/vrf_of_t.sql
            ) AS vrf,
            t.afi AS afi, t.safi AS safi, t.router AS router, t.rib AS rib, t.up AS up, t.since AS since, t.at AS at, t.cause AS cause, t.bmp_session AS bmp_session,
            multiIf(p.node != '', toString(p.node), p.device != '', toString(p.device), replaceOne(toString(t.peer_addr), '::ffff:', '')) AS via,
            -- Without next hop (FRR unnumbered) the peer is the next hop.
            multiIf(NOT t.up, '', bitTest(t.flags, 2), replaceOne(toString(t.next_hop), '::ffff:', ''), t.rib IN ('adj_in_pre', 'adj_in_post'), replaceOne(toString(t.peer_addr), '::ffff:', ''), '') AS hop,
            -- As route_events has it.
            multiIf(p.node != '' AND t.rib IN ('adj_in_pre', 'adj_in_post'), toString(p.node), NOT t.up, '',
                transform(concat('id:', IPv4NumToString(t.originator_id)), node_keys.1, node_keys.2, '') AS by_originator != '', by_originator,
                transform(concat('ip:', if(bitTest(t.flags, 2), replaceOne(toString(t.next_hop), '::ffff:', ''), '')), node_keys.1, node_keys.2, '') AS by_next_hop != '', by_next_hop,
                transform(concat('ip:', replaceOne(toString(t.gw_ip), '::ffff:', '')), node_keys.1, node_keys.2, '') AS by_gateway != '', by_gateway,
                transform(concat('as:', toString(t.as_path[-1])), node_keys.1, node_keys.2, '')) AS origin_node,
            bitTest(t.flags, 4) AS with_paths
        FROM
        (
            SELECT t.addr AS addr, t.bits AS bits, t.ip_version AS ip_version, t.afi AS afi, t.safi AS safi, t.router AS router, t.peer_key AS peer_key, t.rib AS rib,
                argMax(t.action, (t.pos, t.implied)) = 'announce' AS up, maxIf(t.rx_ts, t.class NOT IN ('AADUP', 'WWDUP')) AS since, max(t.rx_ts) AS at, argMax(t.cause, (t.pos, t.implied)) AS cause,
                argMax(t.flags, (t.pos, t.implied)) AS flags, argMax(t.next_hop, (t.pos, t.implied)) AS next_hop, argMax(t.gw_ip, (t.pos, t.implied)) AS gw_ip,
                argMax(t.originator_id, (t.pos, t.implied)) AS originator_id, argMax(t.as_path, (t.pos, t.implied)) AS as_path, argMax(t.peer_addr, (t.pos, t.implied)) AS peer_addr,
                argMax(t.vrf, (t.pos, t.implied)) AS vrf, argMax(t.peer_rd, (t.pos, t.implied)) AS peer_rd, reinterpretAsUInt64(reverse(t.nlri_key)) AS key_rd, max(t.vni) AS vni, any(t.evpn_type) AS evpn_type,
                argMax(t.bmp_session, (t.pos, t.implied)) AS bmp_session
            FROM ribscope.route_class AS t
