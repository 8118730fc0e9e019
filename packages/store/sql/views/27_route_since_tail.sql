-- rib_since brought up to date for the routes that had rows after the watermark: the same rule as in route_class (AADUP: announced
-- again with the same attributes, and not ended in between). upto: only what was stored before.
CREATE OR REPLACE VIEW ribscope.route_since_tail AS
WITH
    (SELECT max(w.stored_at) FROM ribscope.since_watermark AS w) AS watermark,
    (SELECT (arrayPushBack(groupArray(m.h), toUInt64(0)), arrayPushBack(groupArray(m.a), CAST([], 'Array(Tuple(UInt64, UInt64))')))
     FROM (SELECT cityHash64(toString(router), peer_key, toInt8(rib), afi, safi) AS h, groupArray((before, pos)) AS a
           FROM ribscope.marks FINAL WHERE effect = 'sweep' GROUP BY h) AS m) AS sweeps
SELECT r.router AS router, r.route_hash AS route_hash, any(r.peer_key) AS peer_key, any(r.rib) AS rib, any(r.afi) AS afi, any(r.safi) AS safi,
    argMax(r.attr_hash, r.pos) AS attr_hash, argMax(r.up, r.pos) AS up, max(r.pos) AS last_pos, argMax(r.rx_ts, r.pos) AS rx_ts,
    maxIf(r.pos, r.fresh) AS since_pos, argMaxIf(r.rx_ts, r.pos, r.fresh) AS since
FROM
(
    SELECT *,
        -- Whatever ends the row before it and lies before this one ends a run of equal rows.
        NOT (up AND lagInFrame(up, 1, 0) OVER w AND lagInFrame(attr_hash, 1, toUInt64(0)) OVER w = attr_hash
            AND lagInFrame(kill_pos, 1, toUInt64(0)) OVER w >= pos) AS fresh
    FROM
    (
        SELECT *,
            arrayMin(arrayPushBack(arrayMap(m -> if(m.1 > pos, m.2, toUInt64(-1)), arrayConcat(
                sweeps.2[transform(cityHash64(toString(router), toUInt64(0), toInt8(0), toUInt16(0), toUInt8(0)), sweeps.1, arrayEnumerate(sweeps.1), 0)],
                sweeps.2[transform(cityHash64(toString(router), peer_key, toInt8(0), toUInt16(0), toUInt8(0)), sweeps.1, arrayEnumerate(sweeps.1), 0)],
                sweeps.2[transform(cityHash64(toString(router), peer_key, toInt8(0), afi, safi), sweeps.1, arrayEnumerate(sweeps.1), 0)],
                sweeps.2[transform(cityHash64(toString(router), peer_key, toInt8(rib), afi, safi), sweeps.1, arrayEnumerate(sweeps.1), 0)])), toUInt64(-1))) AS kill_pos
        FROM
        (
            SELECT toString(e.router) AS router, cityHash64(e.peer_key, e.rib, e.afi, e.safi, e.addr, e.bits, e.nlri_key, e.path_id) AS route_hash, e.peer_key AS peer_key, e.rib AS rib, e.afi AS afi, e.safi AS safi,
                e.attr_hash AS attr_hash, toUInt8(e.action = 'announce') AS up, e.pos AS pos, e.rx_ts AS rx_ts
            FROM ribscope.router_log AS e
            WHERE e.stored_at >= watermark AND e.stored_at < {upto:DateTime64(3, 'UTC')}
            -- A row that was delivered twice is one.
            LIMIT 1 BY router, pos
            UNION ALL
            -- What is known of them: where the run began, and its last row.
            SELECT toString(b.router) AS router, b.route_hash AS route_hash, b.peer_key AS peer_key, b.rib AS rib, b.afi AS afi, b.safi AS safi,
                b.attr_hash AS attr_hash, b.up AS up, x.1 AS pos, x.2 AS rx_ts
            FROM ribscope.rib_since AS b FINAL
            ARRAY JOIN arrayDistinct([(b.since_pos, b.since), (b.pos, b.rx_ts)]) AS x
            WHERE (b.router, b.route_hash) IN (
                SELECT t.router, cityHash64(t.peer_key, t.rib, t.afi, t.safi, t.addr, t.bits, t.nlri_key, t.path_id) FROM ribscope.router_log AS t WHERE t.stored_at >= watermark AND t.stored_at < {upto:DateTime64(3, 'UTC')})
        )
    )
    WINDOW w AS (PARTITION BY router, route_hash ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) AS r
GROUP BY r.router, r.route_hash
