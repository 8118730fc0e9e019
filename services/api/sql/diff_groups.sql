-- What differs between two instants, grouped by likely cause (docs/operations.md says how), biggest blast radius first.
--   A route's event gives its cause: the end or the beginning of its BGP session (names of those groups come with the request:
--   down_* and up_*), a new BMP session, or an update. Updates of nodes at their ToRs are causes; everything else that moved on
--   the same prefix at most 30 s after a cause is put down to it.
WITH
    (SELECT (arrayPushBack(groupArray(h), toUInt64(0)), arrayPushBack(groupArray(a), CAST([], 'Array(Tuple(Int64, String))')))
     FROM (SELECT cityHash64(x.1, x.2) AS h, arraySort(groupArray((x.3, x.4))) AS a
           FROM (SELECT arrayJoin(arrayZip({down_routers:Array(String)}, {down_peers:Array(UInt64)}, {down_us:Array(Int64)}, {down_groups:Array(String)})) AS x) GROUP BY h)) AS downs_of,
    (SELECT (arrayPushBack(groupArray(h), toUInt64(0)), arrayPushBack(groupArray(a), CAST([], 'Array(Tuple(Int64, String))')))
     FROM (SELECT cityHash64(x.1, x.2) AS h, arraySort(groupArray((x.3, x.4))) AS a
           FROM (SELECT arrayJoin(arrayZip({up_routers:Array(String)}, {up_peers:Array(UInt64)}, {up_us:Array(Int64)}, {up_groups:Array(String)})) AS x) GROUP BY h)) AS ups_of,
    (SELECT (arrayPushBack(groupArray(cityHash64(addr, bits)), toUInt64(0)), arrayPushBack(groupArray(1), 0)) FROM ribscope.fabric_vips) AS vips_known,
    (SELECT (arrayPushBack(groupArray(ip), toIPv6('::')), arrayPushBack(groupArray(if(vgroup = '', toString(router), toString(vgroup))), '')) FROM ribscope.fabric_vteps) AS vteps_known,
-- include: fragments/vrf_of_route.sql
SELECT g.grp AS grp, count() AS routes,
    countIf(g.change = 'added') AS added, countIf(g.change = 'removed') AS removed, countIf(g.change = 'changed') AS changed, countIf(g.change = 'flapped') AS flapped,
    sum(g.downs) AS downs,
    uniqExact((g.addr, g.bits, g.what)) AS prefixes,
    arraySlice(arraySort(groupUniqArray(1000)(g.what)), 1, 20) AS prefix_sample,
    uniqExact(g.router) AS routers_n, arraySlice(arraySort(groupUniqArray(1000)(g.router_name)), 1, 200) AS routers,
    uniqExactIf((g.addr, g.bits), g.is_vip) AS vips_n, arraySlice(arraySort(groupUniqArrayIf(1000)(g.prefix, g.is_vip)), 1, 200) AS vips,
    sumMap(g.attributes, arrayMap(a -> toUInt64(1), g.attributes)) AS attribute_counts,
    arraySlice(arraySort(groupUniqArrayIf(1000)(g.peer, g.peer != '')), 1, 50) AS peers,
    min(g.us) AS began_us, max(g.us) AS last_us,
    -- The first things that happened, those that are the cause before those that came of it.
    arrayMap(x -> (x.3, x.4, x.5, x.6, x.7, x.8, x.9), arraySlice(arraySort(groupArrayIf(1000)((NOT g.is_cause, g.us, g.router_name, toString(g.router), g.seq, g.bmp_session, g.us, g.class, g.what), g.implied = 0)), 1, 5)) AS evidence,
    vips_n * routers_n AS score,
    count() OVER () AS groups_n, sum(routes) OVER () AS routes_n, sum(added) OVER () AS added_n, sum(removed) OVER () AS removed_n, sum(changed) OVER () AS changed_n, sum(flapped) OVER () AS flapped_n
FROM
(
    SELECT *,
        -- The nearest cause on the same prefix: from 2 s before it began (routers' reports overtake each other) to 30 s after it ended.
        arrayFilter(x -> us >= x.1 - 2000000 AND us <= x.2 + 30000000, causes_here) AS causes_near,
        if(is_cause OR own_kind = 'feed' OR empty(causes_near), own, arraySort(x -> (greatest(us - x.2, x.1 - us, toInt64(0)), x.3), causes_near)[1].3) AS grp
    FROM
    (
        SELECT *, groupUniqArrayIf(200)((first_us, us, own), is_cause) OVER (PARTITION BY join_key) AS causes_here
        FROM
        (
            SELECT *, splitByChar('\t', own)[1] AS own_kind,
                own_kind IN ('node_down', 'node_up', 'router_down', 'router_up', 'peer_down', 'peer_up', 'sessions_lost') OR (by_node AND own_kind != 'feed') AS is_cause
            FROM
            (
                SELECT *, notEmpty(hops_before) AND arrayExists(h -> NOT has(hops_before, h), hops_after) AS moved,
                    multiIf(
                        cause = 'reconcile', feed_group,
                        session_group != '', session_group,
                        implied, concat('peer_down\t', router_name, '\t', peer),
                        -- A table that was dumped in a BMP session that began in between; later dumps are updates.
                        phase = 'dump' AND class != 'AW' AND bmp_session > toUnixTimestamp64Micro({from:DateTime64(6, 'UTC')}), feed_group,
                        -- A session that came up just before may still be telling its table; hosts that move do so all the same.
                        dump_group != '' AND NOT moved, dump_group,
                        by_node, if(nodes_here > 1 AND nodes_here >= prefixes_here, concat('vip_', verb, '\t', prefix), concat('node_', verb, '\t', node)),
                        rib = 'adj_in_post' AND pre_moved = 0 AND has_pre, concat('import_policy\t', router_name),
                        moved, concat('evpn_move\t', if(evpn_type = 2, mac_text, prefix)),
                        afi = 25, concat('evpn_', verb, '\t', vtep),
                        change IN ('added', 'removed', 'flapped'), concat('path_', verb, '\t', origin_text),
                        concat('path_changed\t', router_name)) AS own
                FROM
                (
                    SELECT *,
                        -- One prefix that several nodes withdrew is about the prefix, several prefixes of one node are about the node.
                        uniqExactIf(node, by_node) OVER (PARTITION BY addr, bits, change) AS nodes_here,
                        uniqExactIf((addr, bits), by_node) OVER (PARTITION BY node, change) AS prefixes_here,
                        -- An EVPN host or prefix that a router saw with another next hop before: it moved.
                        groupUniqArrayIf(100)(if(was, was_next_hop, next_hop), evpn_type IN (2, 5) AND (was OR downs > 0)) OVER (PARTITION BY move_key) AS hops_before,
                        groupUniqArrayIf(100)(next_hop, evpn_type IN (2, 5) AND (stays OR ups > 0)) OVER (PARTITION BY move_key) AS hops_after,
                        countIf(rib = 'adj_in_pre') OVER (PARTITION BY router, peer_key, afi, safi, addr, bits, nlri_key, path_id) AS pre_moved,
                        transform(router, arrayPushBack({feed_routers:Array(String)}, ''), arrayPushBack({feed_groups:Array(String)}, ''), concat('feed\t', router)) AS feed_group,
                        transform(change, ['added', 'removed', 'changed', 'flapped'], ['announced', 'withdrew', 'changed', 'flapped'], '') AS verb,
                        multiIf(evpn_type = 2, concat('mac ', mac_text, if(prefix = '', '', concat(' ', prefix))), evpn_type NOT IN (0, 5) OR prefix = '', concat('evpn type ', toString(evpn_type)), prefix) AS what,
                        multiIf(origin_as != 0, concat('AS', toString(origin_as)), originator_id != 0, IPv4NumToString(originator_id), peer != '', peer, router_name) AS origin_text,
                        if(next_hop IN (toIPv6('::'), toIPv6('::ffff:0.0.0.0')), router_name, if(vtep_name != '', vtep_name, replaceOne(toString(next_hop), '::ffff:', ''))) AS vtep,
                        -- The Peer Down that ended the route, or that an update just before or after it is part of; the Peer Up that brought it.
                        multiIf(
                            implied, arrayLast(x -> x.1 <= us AND (cause = 'gr_expired' OR x.1 >= us - 1000000), arrayConcat([(toInt64(0), '')], arrayFilter(x -> x.1 <= us, ups_here), downs_here)).2,
                            class = 'AW', arrayFirst(x -> x.1 BETWEEN us - 2000000 AND us + 10000000, downs_here).2,
                            phase = 'dump', arrayLast(x -> x.1 <= us AND x.1 > toUnixTimestamp64Micro({from:DateTime64(6, 'UTC')}), ups_here).2, '') AS session_group,
                        if(phase = 'dump' AND class != 'AW', arrayLast(x -> x.1 <= us, ups_here).2, '') AS dump_group
                    FROM
                    (
                        SELECT l.addr AS addr, l.bits AS bits, l.afi AS afi, l.safi AS safi, toString(l.router) AS router, l.peer_key AS peer_key, l.rib AS rib, l.nlri_key AS nlri_key, l.path_id AS path_id,
                            l.change AS change, l.attributes AS attributes, l.downs AS downs, l.ups AS ups, l.was AS was, l.stays AS stays, l.was_next_hop AS was_next_hop, l.next_hop AS next_hop, l.evpn_type AS evpn_type,
                            l.originator_id AS originator_id, l.as_path[-1] AS origin_as,
                            toUnixTimestamp64Micro(l.first_at) AS first_us, toUnixTimestamp64Micro(l.event.1) AS us, l.event.3 AS implied, l.event.4 AS seq, l.event.5 AS bmp_session, l.event.6 AS cause, l.event.7 AS class, l.event.8 AS phase,
                            toString(p.node) AS node, if(p.router_name = '', toString(l.router), toString(p.router_name)) AS router_name,
                            multiIf(p.node != '', toString(p.node), p.device != '', toString(p.device), l.rib = 'loc_rib', '', replaceOne(toString(l.peer_addr), '::ffff:', '')) AS peer,
                            p.node != '' AND l.rib IN ('adj_in_pre', 'adj_in_post') AND l.afi IN (1, 2) AS by_node,
                            if(l.ip_version = 0, '', concat(if(l.ip_version = 4, substring(toString(l.addr), 8), toString(l.addr)), '/', toString(l.bits))) AS prefix,
                            if(l.evpn_type = 2, arrayStringConcat(arrayMap(i -> lower(hex(substring(l.mac, i, 1))), range(1, 7)), ':'), '') AS mac_text,
                            transform(cityHash64(l.addr, l.bits), vips_known.1, vips_known.2, 0) = 1 AND l.ip_version != 0 AND l.evpn_type != 2 AS is_vip,
                            transform(l.next_hop, vteps_known.1, vteps_known.2, '') AS vtep_name,
                            -- Routes of one prefix whatever the family; EVPN routes that are no IP prefix by their key.
                            if(l.afi = 25 AND l.evpn_type != 5, cityHash64(l.addr, l.bits, l.nlri_key), cityHash64(l.addr, l.bits)) AS join_key,
                            multiIf(l.evpn_type = 2, cityHash64(l.router, l.mac, l.vni), l.evpn_type = 5, cityHash64(l.router, l.addr, l.bits, l.eth_tag, l.vni), 0) AS move_key,
                            (l.router, l.peer_key) IN (SELECT router, peer_key FROM ribscope.view_counts WHERE rib = 'adj_in_pre' AND announced) AS has_pre,
                            downs_of.2[transform(cityHash64(toString(l.router), l.peer_key), downs_of.1, arrayEnumerate(downs_of.1), 0)] AS downs_here,
                            ups_of.2[transform(cityHash64(toString(l.router), l.peer_key), ups_of.1, arrayEnumerate(ups_of.1), 0)] AS ups_here
                        FROM ribscope.route_diff(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}) AS l
                        LEFT JOIN ribscope.fabric_peers AS p ON p.router = l.router AND p.peer_key = l.peer_key
                        WHERE (empty({vrf:String}) OR vrf_of_route = {vrf:String})
                            -- Known before anything is read: however much moved, what is asked of VIPs stays small.
                            AND ({scope:String} != 'vips' OR (l.addr, l.bits) IN (SELECT v.addr, v.bits FROM ribscope.fabric_vips AS v))
                            AND (empty({first:String}) OR (l.addr BETWEEN toIPv6OrDefault({first:String}) AND toIPv6OrDefault({last:String}) AND l.bits >= {bits:UInt8} AND l.ip_version = {ip_version:UInt8}))
                    )
                )
            )
        )
    )
) AS g
WHERE (empty({router:String}) OR g.router = {router:String} OR g.router_name = {router:String})
    AND ({scope:String} = 'all' OR ({scope:String} = 'vips' AND g.is_vip) OR ({scope:String} = 'unicast' AND g.afi IN (1, 2) AND g.safi IN (1, 2, 4)) OR ({scope:String} = 'vpn' AND g.safi IN (76, 128, 129)) OR ({scope:String} = 'evpn' AND g.afi = 25))
GROUP BY g.grp
ORDER BY score DESC, prefixes * routers_n DESC, routes DESC, began_us, grp
LIMIT {limit:UInt32}
