    -- All of visibility behind the condition on t (a row of route_class) that chooses prefixes. One row per router and table that has
    -- it, one row per router that has it in none, with the reason as far as it is known.
    -- paths: the last row of each route. holders: by router. prefixes: all routers that ever had it, in one row.
            GROUP BY t.addr, t.bits, t.ip_version, t.afi, t.safi, t.router, t.peer_key, t.rib, t.nlri_key, t.path_id
        ) AS t
        LEFT JOIN ribscope.fabric_peers AS p ON p.router = t.router AND p.peer_key = t.peer_key
        WHERE t.evpn_type IN (0, 5)
    ),
    holders AS
    (
        SELECT prefix, vrf, afi, safi, router, sum(n) AS has, groupArrayIf((rib, n, vias, hops, nodes, since, with_paths, session), n > 0) AS tables,
            argMax(gone, gone.1) AS last_gone, arrayDistinct(arrayFlatten(groupArrayIf(vias, rib IN ('adj_in_pre', 'adj_in_post')))) AS router_vias
        FROM
        (
            SELECT h.prefix AS prefix, h.vrf AS vrf, h.afi AS afi, h.safi AS safi, h.router AS router, toString(h.rib) AS rib, countIf(h.up) AS n,
                arraySort(groupUniqArrayIf(h.via, h.up AND h.rib != 'loc_rib')) AS vias, arraySort(groupUniqArrayIf(h.hop, h.up AND h.hop != '')) AS hops,
                arraySort(groupUniqArrayIf(h.origin_node, h.up AND h.origin_node != '')) AS nodes, minIf(h.since, h.up) AS since,
                max(h.up AND h.with_paths) AS with_paths, minIf(h.bmp_session, h.up) AS session,
                argMaxIf((h.at, toString(h.cause), h.via), h.at, NOT h.up) AS gone
            FROM paths AS h
            GROUP BY h.prefix, h.vrf, h.afi, h.safi, h.router, h.rib
        )
        GROUP BY prefix, vrf, afi, safi, router
    ),
    prefixes AS
    (
        SELECT prefix, vrf, afi, safi, groupArray((toString(router), tables, last_gone, router_vias)) AS list
        FROM holders
        GROUP BY prefix, vrf, afi, safi
    ),
    routers AS
    (
        SELECT r.router AS router, r.name AS name, r.role AS role, toUInt8(s.router != '') AS met, s.up AS feed_up, s.since AS feed_since, toString(s.down_reason) AS feed_reason, s.dumped AS dumped, s.session AS session,
            arrayConcat(v.families, d.families) AS families, v.liars AS liars, v.honest AS honest, e.peers AS peers
        FROM
        (
            SELECT toString(f.router) AS router, toString(f.name) AS name, toString(f.role) AS role FROM ribscope.fabric_routers AS f
            UNION ALL
            -- The analyst has not met this one yet.
            SELECT toString(router), toString(router), '' FROM ribscope.router_state WHERE router NOT IN (SELECT router FROM ribscope.fabric_routers)
        ) AS r
        LEFT JOIN ribscope.router_state AS s ON s.router = r.router AND r.router != ''
        LEFT JOIN
        (
            SELECT router, groupArray((afi, safi)) AS families, groupArrayIf((afi, safi, toString(rib)), withdraw_only) AS liars, groupArrayIf((afi, safi), NOT withdraw_only) AS honest
            FROM ribscope.view_health
            GROUP BY router
        ) AS v ON v.router = r.router
        LEFT JOIN (SELECT router, groupUniqArray((afi, safi)) AS families FROM ribscope.session_log WHERE kind = 'dump_done' AND rib != 'any' GROUP BY router) AS d ON d.router = r.router
        LEFT JOIN
        (
            SELECT s.router AS router, groupArray((multiIf(p.node != '', toString(p.node), p.device != '', toString(p.device), replaceOne(toString(s.peer_addr), '::ffff:', '')), s.up, s.down_at)) AS peers
            FROM ribscope.peer_state AS s
            LEFT JOIN ribscope.fabric_peers AS p ON p.router = s.router AND p.peer_key = s.peer_key
            GROUP BY s.router
        ) AS e ON e.router = r.router
    ),
    pairs AS
    (
        SELECT k.prefix AS prefix, k.vrf AS vrf, k.afi AS afi, k.safi AS safi, r.router AS router, r.name AS name, r.role AS role, r.met AS met, r.feed_up AS feed_up, r.feed_since AS feed_since, r.feed_reason AS feed_reason,
            r.dumped AS dumped, r.session AS session, r.families AS families, r.liars AS liars, r.honest AS honest, r.peers AS peers,
            arrayFirst(x -> x.1 = r.router AND r.router != '', k.list) AS mine, notEmpty(mine.2) AS sees
        FROM prefixes AS k
        CROSS JOIN routers AS r
    ),
    company AS
    (
        SELECT c.*, arraySort(groupArrayIf(c.name, c.sees) OVER w) AS role_seers, arrayDistinct(arrayFlatten(groupArrayIf(c.mine.4, c.sees) OVER w)) AS role_vias,
            max(c.sees) OVER (PARTITION BY c.prefix, c.vrf, c.afi, c.safi) AS anywhere
        FROM pairs AS c
        WINDOW w AS (PARTITION BY c.prefix, c.vrf, c.afi, c.safi, c.role)
    )
SELECT * EXCEPT (held)
FROM
(
SELECT
    q.prefix AS prefix, q.vrf AS vrf, q.afi AS afi, q.safi AS safi, q.router AS router, q.name AS router_name, q.role AS role,
    toUInt8(q.sees) AS sees,
    arrayJoin(if(q.sees, arraySort(x -> x.1, q.mine.2), [('', 0, [], [], [], toDateTime64(0, 6, 'UTC'), 0, 0)])) AS held,
    held.1 AS rib,
    -- best: what the router chose; candidate: what it was offered; sent: what it passes on.
    multiIf(rib = '', '', rib = 'loc_rib', 'best', rib IN ('adj_in_pre', 'adj_in_post'), 'candidate', 'sent') AS how,
    -- DETECTORS B.1: how wide the multipath set can be seen here.
    multiIf(NOT q.sees, 'none', arrayExists(x -> x.1 = 'loc_rib' AND x.7 = 1, q.mine.2), 'full', arrayExists(x -> x.1 IN ('adj_in_pre', 'adj_in_post'), q.mine.2), 'candidates', 'best_only') AS level,
    toUInt64(held.2) AS paths, held.3 AS peers, held.4 AS next_hops, held.5 AS origin_nodes, if(q.sees, held.6, NULL) AS since,
    -- Not confirmed in the BMP session in force, or that session is lost.
    toUInt8(q.sees AND (NOT q.feed_up OR held.8 < q.session)) AS stale,
    if(q.role = '', CAST([], 'Array(String)'), arrayFilter(x -> x != q.name, q.role_seers)) AS siblings,
    toUInt8(NOT q.sees AND notEmpty(siblings)) AS missing,
    multiIf(
        q.sees, '',
        NOT q.met, 'feed: no BMP session so far',
        NOT q.feed_up, concat('feed: BMP session lost since ', formatDateTime(q.feed_since, '%Y-%m-%dT%H:%i:%SZ'), if(q.feed_reason = '', '', concat(' (', q.feed_reason, ')'))),
        NOT q.dumped, 'feed: its first table is still arriving',
        NOT has(q.families, (q.afi, q.safi)), concat('family: no BMP of ', arrayMap(x ->
-- include: fragments/family_of_x.sql
            , [(q.afi, q.safi)])[1]),
        NOT has(q.honest, (q.afi, q.safi)) AND arrayExists(x -> x.1 = q.afi AND x.2 = q.safi, q.liars), concat('untrusted: ', arrayStringConcat(arraySort(arrayMap(x -> x.3, arrayFilter(x -> x.1 = q.afi AND x.2 = q.safi, q.liars))), ', '), ' withdraws only (P1)'),
        q.mine.3.1 != toDateTime64(0, 6, 'UTC'), concat(
            multiIf(q.mine.3.2 = 'peer_down', 'peer: session down, ', q.mine.3.2 = 'update', 'withdrawn: ', concat(q.mine.3.2, ': ')), q.mine.3.3, ', ', formatDateTime(q.mine.3.1, '%Y-%m-%dT%H:%i:%SZ')),
        arrayExists(x -> has(q.role_vias, x.1) AND NOT x.2, q.peers), concat('peer: session down, ', arrayFirst(x -> has(q.role_vias, x.1) AND NOT x.2, q.peers).1),
        arrayExists(x -> has(q.role_vias, x.1), q.peers), concat('not announced by ', arrayFirst(x -> has(q.role_vias, x.1), q.peers).1, ', from which siblings have it'),
        notEmpty(q.role_vias), concat('no session with ', arrayStringConcat(arraySlice(arraySort(q.role_vias), 1, 3), ', '), ', from which siblings have it'),
        '') AS why
FROM company AS q
WHERE q.anywhere
)
