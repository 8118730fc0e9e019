    -- All of view_trust behind `WITH <instant> AS clock,`. Rules, weights and columns: docs/sql.md.
    -- pe: peers that were up when their router was last heard. tables, spans: one table and family of one peer. live: what it holds.
    -- checks: what contradicts what. views: added up.
    --
    -- A counter of the router is compared with bounds: what has not changed since the report before it (or since the table was
    -- complete) was there when it was made (settled); each row since may stand for one route more or less (recent). Outside of
    -- [settled, settled + recent] router and log contradict each other, whatever happened meanwhile.
    counters AS
    (
        SELECT router, peer_key, bmp_session, peer_epoch, groupArray((of_rib, afi, safi, counted, at_seq, at, before_seq)) AS list
        FROM
        (
            SELECT s.router AS router, s.peer_key AS peer_key, s.bmp_session AS bmp_session, s.peer_epoch AS peer_epoch,
                multiIf(s.stat_type IN (7, 9, 18, 19), 'adj_in_pre', s.stat_type IN (20, 21), 'adj_in_post', s.stat_type IN (14, 16), 'adj_out_pre', s.stat_type IN (15, 17), 'adj_out_post', 'loc_rib') AS of_rib,
                s.afi AS afi, s.safi AS safi, argMax(s.value, s.seq) AS counted, max(s.seq) AS at_seq, max(s.rx_ts) AS at,
                toUInt64(-ifNull(arrayElementOrNull(groupArraySorted(2)(-toInt64(s.seq)), 2), 0)) AS before_seq
            FROM ribscope.stats_log AS s FINAL
            -- 8 and 10 of a BGP peer are its part of Loc-RIB (RFC 7854), or what was accepted from it (GoBGP): no size of a table here.
            WHERE (s.stat_type IN (7, 9, 14, 15, 16, 17, 18, 19, 20, 21) OR (s.stat_type IN (8, 10) AND s.rib = 'loc_rib'))
                AND (s.router, s.bmp_session) IN (SELECT l.router, max(l.bmp_session) FROM ribscope.session_log AS l GROUP BY l.router)
            GROUP BY s.router, s.peer_key, s.bmp_session, s.peer_epoch, of_rib, s.afi, s.safi
        )
        GROUP BY router, peer_key, bmp_session, peer_epoch
    ),
    dumps AS
    (
        SELECT s.router AS router, s.peer_key AS peer_key, s.bmp_session AS bmp_session, s.peer_epoch AS peer_epoch, groupArray((toString(s.rib), s.afi, s.safi, toString(s.reason), s.seq)) AS list
        FROM ribscope.session_log AS s FINAL
        WHERE s.kind = 'dump_done' AND s.peer_key != 0
        GROUP BY s.router, s.peer_key, s.bmp_session, s.peer_epoch
    ),
    pe AS
    (
        SELECT p.router AS router, p.peer_key AS peer_key, p.bmp_session AS bmp_session, p.peer_epoch AS peer_epoch, p.peer_addr AS peer_addr, p.up_at AS up_at,
            p.kind AS kind, p.families AS families, p.add_path AS add_path, p.opens_known AS opens_known, toUInt8(p.began = 'synthetic') AS synthetic,
            multiIf(p.node != '', p.node, p.device != '', p.device, p.peer_addr) AS name,
            p.announces AS announces, p.announces + p.withdraws AS said, p.dumps AS dump_texts, c.list AS counters
        FROM ribscope.peer_sessions AS p
        LEFT JOIN counters AS c ON c.router = p.router AND c.peer_key = p.peer_key AND c.bmp_session = p.bmp_session AND c.peer_epoch = p.peer_epoch
        WHERE p.state IN ('up', 'stale')
    ),
    -- f: the counter of this family, n: that of all families together. d: how its first table ended, e: that of all tables of the peer.
    tables AS
    (
        SELECT k.router AS router, k.peer_key AS peer_key, k.bmp_session AS bmp_session, toString(k.rib) AS of_rib, toInt8(k.rib) AS rib_id, k.afi AS afi, k.safi AS safi,
            any(p.kind) AS kind, any(p.name) AS name, any(p.peer_addr) AS peer_addr, any(p.synthetic) AS synthetic, any(p.opens_known) AS opens_known, any(p.add_path) AS add_path, any(p.families) AS families, any(p.dump_texts) AS dump_texts,
            groupBitmapMergeState(k.announces) AS a, groupBitmapMergeState(k.withdraws) AS w,
            arrayFirst(x -> x.1 = of_rib AND x.2 = k.afi AND x.3 = k.safi, any(d.list)) AS d, arrayFirst(x -> x.1 = 'any', any(d.list)) AS e,
            arrayFirst(x -> x.1 = of_rib AND x.2 = k.afi AND x.3 = k.safi, any(p.counters)) AS f, arrayFirst(x -> x.1 = of_rib AND x.2 = 0, any(p.counters)) AS n
        FROM ribscope.view_counts AS k
        INNER JOIN pe AS p ON p.router = k.router AND p.peer_key = k.peer_key AND p.bmp_session = k.bmp_session AND p.peer_epoch = k.peer_epoch
        LEFT JOIN dumps AS d ON d.router = k.router AND d.peer_key = k.peer_key AND d.bmp_session = k.bmp_session AND d.peer_epoch = k.peer_epoch
        GROUP BY k.router, k.peer_key, k.bmp_session, k.rib, k.afi, k.safi
    ),
    spans AS
    (
        SELECT s.router AS router, s.peer_key AS peer_key, s.bmp_session AS bmp_session, s.of_rib AS of_rib, s.rib_id AS rib_id, s.afi AS afi, s.safi AS safi, s.family AS family,
            s.kind AS kind, s.name AS name, s.peer_addr AS peer_addr, s.synthetic AS synthetic, s.opens_known AS opens_known, has(s.add_path, concat(s.family, '/receive')) AS takes_paths,
            bitmapCardinality(s.a) AS announces, bitmapCardinality(s.w) AS withdraws,
            multiIf(s.d.4 != '', s.d.4, s.e.4 != '', s.e.4, 'running') AS dump,
            s.by_total AS by_total, s.counter.4 AS counted, s.counter.6 AS at, s.counter.5 != 0 AND s.first_done_seq != 0 AND s.done_seq < s.counter.5 AS comparable,
            greatest(s.counter.7, s.done_seq) AS since_seq,
            -- A counter of all families proves that something is missing only if all of them are monitored.
            NOT s.by_total OR (s.opens_known AND arrayAll(x -> arrayExists(y -> startsWith(y, concat(s.of_rib, ' ', x, ' ')), s.dump_texts), s.families)) AS whole,
            bitmapCardinality(bitmapSubsetInRange(s.a, since_seq + 1, toUInt64(9223372036854775807))) + bitmapCardinality(bitmapSubsetInRange(s.w, since_seq + 1, toUInt64(9223372036854775807))) AS own_recent
        FROM
        (
            SELECT t.router AS router, t.peer_key AS peer_key, t.bmp_session AS bmp_session, t.of_rib AS of_rib, t.rib_id AS rib_id, t.afi AS afi, t.safi AS safi, t.kind AS kind, t.name AS name, t.peer_addr AS peer_addr,
                t.synthetic AS synthetic, t.opens_known AS opens_known, t.add_path AS add_path, t.families AS families, t.dump_texts AS dump_texts, t.a AS a, t.w AS w, t.d AS d, t.e AS e,
                arrayMap(x ->
-- include: fragments/family_of_x.sql
                    , [(t.afi, t.safi)])[1] AS family,
                t.f.5 = 0 AS by_total, if(by_total, t.n, t.f) AS counter, if(t.d.5 != 0, t.d.5, t.e.5) AS own_done_seq,
                if(by_total, max(own_done_seq) OVER pr, own_done_seq) AS done_seq, if(by_total, min(own_done_seq) OVER pr, own_done_seq) AS first_done_seq
            FROM tables AS t
            WINDOW pr AS (PARTITION BY t.router, t.peer_key, t.of_rib)
        ) AS s
    ),
    live AS
    (
        SELECT s.router AS router, s.peer_key AS peer_key, s.of_rib AS of_rib, s.afi AS afi, s.safi AS safi, any(s.bmp_session) AS bmp_session,
            any(s.kind) AS kind, any(s.name) AS name, any(s.peer_addr) AS peer_addr, any(s.synthetic) AS synthetic, any(s.opens_known) AS opens_known, any(s.takes_paths) AS takes_paths,
            any(s.announces) AS announces, any(s.withdraws) AS withdraws, any(s.dump) AS dump, any(s.family) AS family,
            any(s.by_total) AS by_total, any(s.counted) AS counted, any(s.at) AS at, any(s.comparable) AS comparable, any(s.whole) AS whole, any(s.own_recent) AS own_recent,
            countIf(l.router != '') AS routes, sum(l.stale) AS stale_routes,
            countIf(l.router != '' AND l.bmp_session = s.bmp_session AND l.seq <= s.since_seq) AS own_settled,
            countIf(l.router != '' AND NOT bitTest(l.flags, 2)) AS no_next_hop, countIf(bitTest(l.flags, 3)) AS own_as_in_front, countIf(bitTest(l.flags, 4)) AS with_paths,
            countIf(arrayExists(x -> startsWith(x, 'nlri: path identifiers not as the session said'), l.decode_errors)) AS path_ids_lied,
            countIf(arrayExists(x -> startsWith(x, 'as_path: AS numbers of '), l.decode_errors)) AS as_widths_lied,
            countIf(arrayExists(x -> NOT startsWith(x, 'nlri: path identifiers not as the session said') AND NOT startsWith(x, 'as_path: AS numbers of '), l.decode_errors)) AS damaged,
            argMinOrNullIf(dateDiff('microsecond', l.bmp_ts, l.rx_ts), abs(dateDiff('microsecond', l.bmp_ts, l.rx_ts)), l.router != '' AND l.phase = 'live' AND l.bmp_ts != toDateTime64(0, 6, 'UTC')) AS skew_us
        FROM ribscope.rib_live AS l
        -- The small side is the one that is kept in memory, and whole: tables without routes count too.
        RIGHT JOIN spans AS s ON s.router = l.router AND s.peer_key = l.peer_key AND s.rib_id = toInt8(l.rib) AND s.afi = l.afi AND s.safi = l.safi
        GROUP BY s.router, s.peer_key, s.of_rib, s.afi, s.safi
    ),
    -- P4: pre-policy announces it, post-policy withdrew it, and it did not come back with the router's own AS (a loop).
    denied AS
    (
        SELECT l.router AS router, l.peer_key AS peer_key, l.afi AS afi, l.safi AS safi, count() AS offered,
            -- The last word on the route in post-policy is a withdrawal: such rows stay in rib_state.
            countIf((l.router, l.peer_key, l.afi, l.safi, l.addr, l.bits, l.nlri_key, l.path_id) IN
                (SELECT s.router, s.peer_key, s.afi, s.safi, s.addr, s.bits, s.nlri_key, s.path_id FROM ribscope.rib_state AS s FINAL WHERE s.rib = 'adj_in_post' AND s.action = 'withdraw')) AS lost
        FROM ribscope.rib_live AS l
        LEFT JOIN (SELECT router, peer_key, argMax(local_asn, pos) AS local_asn FROM ribscope.session_log FINAL WHERE kind = 'peer_up' GROUP BY router, peer_key) AS u ON u.router = l.router AND u.peer_key = l.peer_key
        WHERE l.rib = 'adj_in_pre' AND NOT has(if(bitTest(l.flags, 3), arraySlice(l.as_path, 2), l.as_path), u.local_asn)
            AND (l.router, l.peer_key, l.afi, l.safi) IN (SELECT c.router, c.peer_key, c.afi, c.safi FROM ribscope.view_counts AS c WHERE c.rib = 'adj_in_post' GROUP BY c.router, c.peer_key, c.afi, c.safi HAVING groupBitmapMerge(c.withdraws) > 0)
        GROUP BY l.router, l.peer_key, l.afi, l.safi
    ),
    -- What could not be decoded, by peer, in the BMP session in force; an attribute that was left out costs no route.
    broken AS
    (
        SELECT e.router AS router, e.peer_key AS peer_key, e.bmp_session AS bmp_session, countIf(e.treatment != 'attribute-discard' AND NOT match(e.path, '^(peer_up|peer_down|statistics|route_mirroring|initiation|termination)')) AS errors,
            countIf(e.text LIKE '%AS width%' OR e.text LIKE '%beside AS numbers of%') AS as_widths
        FROM ribscope.error_log AS e FINAL
        GROUP BY e.router, e.peer_key, e.bmp_session
    ),
    routers AS
    (
        SELECT router, argMaxIf(kind, pos, kind IN ('bmp_up', 'bmp_down')) = 'bmp_up' AS up, maxIf(rx_ts, kind = 'bmp_down') AS lost_at, toString(argMaxIf(reason, pos, kind = 'bmp_down')) AS lost_how,
            startsWith(argMaxIf(text, pos, kind = 'initiation'), 'FRRouting') AS is_frr, max(bmp_session) AS session, maxIf(rx_ts, NOT synthetic) AS heard_at,
            argMinOrNullIf(dateDiff('microsecond', bmp_ts, rx_ts), abs(dateDiff('microsecond', bmp_ts, rx_ts)), kind = 'peer_down' AND counted AND bmp_ts != toDateTime64(0, 6, 'UTC')) AS skew_us
        FROM ribscope.session_log FINAL
        GROUP BY router
    ),
    -- The habit of each router: the shortest mean time between two reports of one counter (three reports at least).
    habits AS
    (
        SELECT router, minOrNullIf(span / (n - 1), n >= 3) AS interval_s, max(last) AS heard_at, argMinOrNull(own_skew_us, abs(own_skew_us)) AS skew_us
        FROM
        (
            SELECT s.router AS router, count() AS n, dateDiff('microsecond', min(s.rx_ts), max(s.rx_ts)) / 1e6 AS span, max(s.rx_ts) AS last,
                argMinOrNullIf(dateDiff('microsecond', s.bmp_ts, s.rx_ts), abs(dateDiff('microsecond', s.bmp_ts, s.rx_ts)), s.bmp_ts != toDateTime64(0, 6, 'UTC')) AS own_skew_us
            FROM ribscope.stats_log AS s FINAL
            WHERE (s.router, s.bmp_session) IN (SELECT l.router, max(l.bmp_session) FROM ribscope.session_log AS l GROUP BY l.router)
            GROUP BY s.router, s.peer_key, s.stat_type, s.afi, s.safi
        )
        GROUP BY router
    ),
    -- P13, P14: of the peers of each router, those that are up and empty, and link-local addresses that several have.
    company AS
    (
        SELECT p.router AS router,
            groupArrayIf((p.name, p.up_at, p.families, length(p.ins), toUInt64(arrayMax(x -> x.4, arrayPushBack(p.ins, ('', 0, 0, 0, 0, toDateTime64(0, 6, 'UTC'), 0))))),
                p.kind = 'bgp' AND p.said = 0 AND NOT p.synthetic AND NOT arrayExists(d -> endsWith(d, ' eor'), p.dump_texts)) AS empties,
            mapFilter((a, m) -> m > 1, sumMap(if(p.kind = 'bgp' AND startsWith(lower(p.peer_addr), 'fe80:'), map(p.peer_addr, toUInt64(1)), CAST(map(), 'Map(String, UInt64)')))) AS shared
        FROM (SELECT router, name, up_at, families, kind, said, synthetic, peer_addr, dump_texts, arrayFilter(x -> x.1 IN ('adj_in_pre', 'adj_in_post'), counters) AS ins FROM pe) AS p
        GROUP BY p.router
    ),
    checks AS
    (
        SELECT s.router AS router, s.of_rib AS of_rib, s.afi AS afi, s.safi AS safi, s.peer_key AS peer_key, s.kind AS kind, s.name AS name, s.peer_addr AS peer_addr, s.synthetic AS synthetic,
            s.opens_known AS opens_known, s.dump AS dump, s.family AS family, s.announces AS announces, s.withdraws AS withdraws, s.takes_paths AS takes_paths,
            s.routes AS routes, s.stale_routes AS stale_routes, s.no_next_hop AS no_next_hop, s.own_as_in_front AS own_as_in_front, s.with_paths AS with_paths, s.path_ids_lied AS path_ids_lied, s.damaged AS damaged, s.skew_us AS skew_us,
            s.comparable AS comparable, s.by_total AS by_total, s.at AS at,
            -- A counter of all families is compared with the sum of them; what contradicts it is in doubt in each.
            if(s.by_total, sum(s.routes) OVER pr, s.routes) AS unit_routes,
            s.comparable ? s.counted : 0 AS expected,
            if(s.by_total, sum(s.own_settled) OVER pr, s.own_settled) AS settled, if(s.by_total, sum(s.own_recent) OVER pr, s.own_recent) AS recent,
            if(s.comparable AND s.whole AND s.counted > settled + recent, s.counted - settled - recent, 0) AS missing,
            if(s.comparable AND s.counted < settled, settled - s.counted, 0) AS too_many,
            d.offered AS offered, least(d.lost, s.withdraws) AS lost, b.errors AS errors, b.as_widths + s.as_widths_lied AS as_widths
        FROM live AS s
        LEFT JOIN (SELECT *, 'adj_in_post' AS of_rib FROM denied) AS d ON d.router = s.router AND d.peer_key = s.peer_key AND d.of_rib = s.of_rib AND d.afi = s.afi AND d.safi = s.safi
        LEFT JOIN broken AS b ON b.router = s.router AND b.peer_key = s.peer_key AND b.bmp_session = s.bmp_session
        WINDOW pr AS (PARTITION BY s.router, s.peer_key, s.of_rib)
    ),
    views AS
    (
        SELECT t.router AS router, t.of_rib AS of_rib, t.afi AS afi, t.safi AS safi, any(t.family) AS family, count() AS peers, countIf(t.kind != 'local') AS bgp_peers,
            sum(t.announces) AS announces, sum(t.withdraws) AS withdraws, sum(t.routes) AS routes, sum(t.stale_routes) AS stale_routes, sum(t.no_next_hop) AS no_next_hop, sum(t.own_as_in_front) AS own_as_in_front,
            sum(t.with_paths) AS with_paths, sum(t.path_ids_lied) AS path_ids_lied, sum(t.damaged) AS damaged, argMinOrNull(t.skew_us, abs(t.skew_us)) AS skew_us,
            countIf(t.comparable) AS counted_peers, sumIf(t.expected, t.comparable) AS expected, sumIf(t.unit_routes, t.comparable) AS counted_routes, maxIf(t.at, t.comparable) AS counted_at,
            sum(t.missing) AS missing, sum(t.too_many) AS too_many, max(t.by_total AND t.missing + t.too_many > 0) AS by_total,
            arraySort(groupArrayIf(t.name, t.missing + t.too_many > 0)) AS contradicted,
            sum(t.offered) AS offered, sum(t.lost) AS lost, sum(t.errors) AS errors, sum(t.as_widths) AS as_widths,
            countIf(t.kind != 'local' AND t.dump = 'running') AS dumps_running, countIf(t.kind != 'local' AND t.dump = 'max') AS dumps_max, countIf(t.kind != 'local' AND t.dump = 'quiet') AS dumps_quiet,
            multiIf(bgp_peers = 0, any(t.dump), dumps_running > 0, 'running', dumps_max > 0, 'max', dumps_quiet > 0, 'quiet', 'eor') AS eor,
            arraySort(groupArrayIf(t.name, t.synthetic AND t.kind != 'local')) AS synthetic, arraySort(groupArrayIf(t.name, NOT t.opens_known AND NOT t.synthetic AND t.kind = 'bgp')) AS without_open,
            countIf(t.takes_paths) AS takes_paths, groupUniqArray(t.peer_addr) AS peer_addrs
        FROM checks AS t
        GROUP BY t.router, t.of_rib, t.afi, t.safi
    )
SELECT
    q.router AS router, q.rib AS rib, q.afi AS afi, q.safi AS safi,
    toUInt8(greatest(0, 100 - arraySum(tupleElement(q.found, 1)))) AS score,
    multiIf(q.withdraw_only OR score < 50, 'untrusted', score < 80, 'doubtful', 'trusted') AS trust,
    tupleElement(q.found, 2) AS reasons,
    -- What only limits what the view can answer, or is a habit that everything here reckons with.
    arrayFilter(x -> x != '', [
        if(q.no_next_hop > 0 AND q.rib IN ('adj_in_pre', 'adj_in_post'), concat('P2: ', toString(q.no_next_hop), ' routes without next hop: the peer is the next hop'), ''),
        if(q.own_as_in_front > 0, concat('P10: ', toString(q.own_as_in_front), ' routes with the own AS of the router in front: left out of comparisons'), ''),
        if(q.no_next_hop > 0 AND q.rib = 'adj_out_pre', concat('P17: ', toString(q.no_next_hop), ' routes without next hop: originated by the router itself'), '')]) AS notes,
    q.peers AS peers, q.announces AS announces, q.withdraws AS withdraws, q.routes AS routes, q.stale_routes AS stale_routes,
    if(q.counted_peers > 0, q.expected, NULL) AS expected, if(q.counted_peers > 0, q.counted_routes, NULL) AS counted_routes, if(q.counted_peers > 0, q.counted_at, NULL) AS counted_at,
    q.missing AS missing, q.too_many AS too_many, q.eor AS eor,
    q.silent_s AS silent_s, if(q.interval_s = 0, NULL, q.interval_s) AS interval_s, q.skew_s AS skew_s,
    q.lost AS withdrawn_by_policy, q.path_ids_lied AS path_ids_lied, q.damaged AS damaged_routes, q.errors AS errors, q.as_widths AS as_widths_lied,
    q.withdraw_only AS withdraw_only, q.since AS since
FROM
(
SELECT
    z.router AS router, z.rib AS rib, z.afi AS afi, z.safi AS safi, z.withdraw_only AS withdraw_only, z.since AS since, z.peers AS peers, z.announces AS announces, z.withdraws AS withdraws, z.routes AS routes, z.stale_routes AS stale_routes, z.no_next_hop AS no_next_hop, z.own_as_in_front AS own_as_in_front, z.counted_peers AS counted_peers, z.expected AS expected, z.counted_routes AS counted_routes, z.counted_at AS counted_at, z.missing AS missing, z.too_many AS too_many, z.eor AS eor, z.silent_s AS silent_s, z.interval_s AS interval_s, z.skew_s AS skew_s, z.lost AS lost, z.path_ids_lied AS path_ids_lied, z.damaged AS damaged, z.errors AS errors, z.as_widths AS as_widths,
    arrayFilter(x -> x.2 != '', [
        (100, if(z.withdraw_only, 'P1: withdrawals only, no announcement since Peer Up', '')),
        (5 + toInt32(35 * z.lost / greatest(z.offered, 1)), if(z.lost > 0 AND NOT z.withdraw_only, concat('P4: post-policy withdrew ', z.lost, ' of ', z.offered, ' routes that pre-policy announces: import policy, or FRR before it resolved the next hop'), '')),
        (2, if(abs(ifNull(z.skew_s, 0)) >= 3600, concat('P5: the clock of the router is off by ', round(ifNull(z.skew_s, 0) / 3600, 1), ' h (order never rests on it)'), '')),
        (25, if(z.eor = 'running', concat('P9: the first table of ', z.dumps_running, ' of ', z.bgp_peers, ' peers is still arriving'), '')),
        (15, if(z.eor = 'max', concat('P9: the first table of ', z.dumps_max, ' of ', z.bgp_peers, ' peers was cut after 120 s without End-of-RIB'), '')),
        (5, if(z.eor = 'quiet' AND z.bgp_peers > 0, concat('P9: no End-of-RIB from ', z.dumps_quiet, ' of ', z.bgp_peers, ' peers: the first table ended with 5 s of silence'), '')),
        (15, if(z.is_frr AND z.takes_paths > 0 AND z.rib IN ('adj_in_pre', 'adj_in_post'), concat('P11: FRR with ADD-PATH shows one path of those that ', z.takes_paths, ' peers send'), '')),
        (5, if(z.rib = 'loc_rib' AND z.routes > 0 AND z.with_paths = 0, 'P12: best path only (no ADD-PATH): says nothing of the width of multipath sets', '')),
        (if(z.rib = 'loc_rib', 5, 15), if(notEmpty(z.synthetic), concat('P13: no Peer Up from ', arrayStringConcat(arraySlice(z.synthetic, 1, 3), ', '), if(length(z.synthetic) > 3, ' ...', ''), ': AS width, families and path identifiers are guessed'), '')),
        (5, if(notEmpty(z.without_open), concat('OPEN: an OPEN of ', arrayStringConcat(arraySlice(z.without_open, 1, 3), ', '), if(length(z.without_open) > 3, ' ...', ''), ' is missing or unreadable: AS width and path identifiers are guessed'), '')),
        (30, if(notEmpty(z.empties), concat('P13: up for more than 60 s and empty, without End-of-RIB, while other peers have routes: ', arrayStringConcat(arraySlice(arraySort(arrayMap(p -> p.1, z.empties)), 1, 3), ', '), if(length(z.empties) > 3, ' ...', '')), '')),
        (5, if(notEmpty(z.shared), concat('P14: several peers with one link-local address: ', arrayStringConcat(arraySlice(z.shared, 1, 3), ', ')), '')),
        (if(z.by_total, 20, 20 + toInt32(60 * z.missing / greatest(z.expected, 1))), if(z.missing > 0, concat('STATS: the router counts ', z.expected, ' routes', if(z.by_total, ' of all families', ''), ', ', z.missing, ' of them never arrived (', arrayStringConcat(arraySlice(z.contradicted, 1, 3), ', '), ')'), '')),
        (if(z.by_total, 20, 20 + toInt32(60 * z.too_many / greatest(z.counted_routes, 1))), if(z.too_many > 0, concat('STATS: the router counts ', z.expected, ' routes', if(z.by_total, ' of all families', ''), ', here are ', z.too_many, ' more (', arrayStringConcat(arraySlice(z.contradicted, 1, 3), ', '), ')'), '')),
        (60, if(notEmpty(z.contradicting), concat('STATS: up, and nothing arrived from ', arrayStringConcat(arraySlice(arraySort(arrayMap(p -> p.1, z.contradicting)), 1, 3), ', '), ' though the router counts ', arraySum(p -> p.5, z.contradicting), ' routes'), '')),
        (15, if(z.path_ids_lied > 0, concat('ADDPATH: ', z.path_ids_lied, ' routes have path identifiers against what the OPENs agreed on, or lack them'), '')),
        (10, if(z.as_widths > 0, concat('ASWIDTH: ', z.as_widths, ' routes or UPDATEs have AS numbers of another width than said'), '')),
        (5 + toInt32(35 * greatest(z.damaged / greatest(z.routes, 1), z.errors / greatest(z.errors + z.announces + z.withdraws, 1))), if(z.damaged + z.errors > 0, concat('DECODE: ', z.damaged, ' of ', z.routes, ' routes are damaged, ', z.errors, ' errors of these peers in this session'), '')),
        (30, if(z.feed_up AND z.interval_s > 0 AND z.silent_s > greatest(3 * z.interval_s, 30), concat('SILENT: nothing for ', round(z.silent_s), ' s from a router that reports every ', round(z.interval_s), ' s'), '')),
        (40, if(NOT z.feed_up, concat('FEED: the BMP session is lost since ', formatDateTime(z.lost_at, '%Y-%m-%dT%H:%i:%SZ'), if(z.lost_how = '', '', concat(' (', z.lost_how, ')')), ': this is what was said last'), ''))
    ]) AS found
FROM
(
    SELECT h.router AS router, h.rib AS rib, h.afi AS afi, h.safi AS safi, h.withdraw_only AS withdraw_only, CAST(h.since, 'DateTime64(6, \'UTC\')') AS since,
        v.peers AS peers, v.bgp_peers AS bgp_peers, h.announces AS announces, h.withdraws AS withdraws,
        v.routes AS routes, v.stale_routes AS stale_routes, v.no_next_hop AS no_next_hop, v.own_as_in_front AS own_as_in_front, v.with_paths AS with_paths, v.path_ids_lied AS path_ids_lied, v.damaged AS damaged,
        v.counted_peers AS counted_peers, v.expected AS expected, v.counted_routes AS counted_routes, v.counted_at AS counted_at, v.missing AS missing, v.too_many AS too_many, v.by_total AS by_total, v.contradicted AS contradicted,
        v.offered AS offered, v.lost AS lost, v.errors AS errors, v.as_widths AS as_widths, v.dumps_running AS dumps_running, v.dumps_max AS dumps_max, v.dumps_quiet AS dumps_quiet, v.eor AS eor,
        v.synthetic AS synthetic, v.without_open AS without_open, v.takes_paths AS takes_paths,
        r.up AS feed_up, r.lost_at AS lost_at, r.lost_how AS lost_how, r.is_frr AS is_frr,
        greatest(0, dateDiff('microsecond', greatest(r.heard_at, i.heard_at, w.heard_at), clock) / 1e6) AS silent_s, ifNull(i.interval_s, 0) AS interval_s,
        -- The smallest difference seen: old timestamps of dumps and delays only make it larger.
        arrayElementOrNull(arraySort(x -> abs(x), arrayMap(x -> assumeNotNull(x), arrayFilter(x -> x IS NOT NULL, [v.skew_us, r.skew_us, i.skew_us]))), 1) / 1e6 AS skew_s,
        arrayFilter(p -> h.rib IN ('adj_in_pre', 'adj_in_post') AND v.routes > 0 AND p.2 <= clock - INTERVAL 60 SECOND AND p.4 = 0 AND (empty(p.3) OR has(p.3, v.family)), y.empties) AS empties,
        arrayFilter(p -> h.rib = 'adj_in_pre' AND v.routes > 0 AND p.5 > 0 AND (empty(p.3) OR has(p.3, v.family)), y.empties) AS contradicting,
        if(h.rib IN ('adj_in_pre', 'adj_in_post'), arraySort(arrayIntersect(v.peer_addrs, mapKeys(y.shared))), CAST([], 'Array(String)')) AS shared
    FROM ribscope.view_health AS h
    INNER JOIN routers AS r ON r.router = h.router
    LEFT JOIN views AS v ON v.router = h.router AND v.of_rib = toString(h.rib) AND v.afi = h.afi AND v.safi = h.safi
    LEFT JOIN habits AS i ON i.router = h.router
    LEFT JOIN (SELECT router, max(last_rx) AS heard_at FROM ribscope.view_counts GROUP BY router) AS w ON w.router = h.router
    LEFT JOIN company AS y ON y.router = h.router
) AS z
) AS q
