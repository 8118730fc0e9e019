-- Sizes of all tables as stored now. A view of which nothing is left has size 0; a counter of a peer that ended since counts no more.
INSERT INTO ribscope.table_samples (router, rib, afi, safi, minute, sampled_at, routes, stale, reported, reported_all)
WITH
    toDateTime64({at:DateTime64(6, 'UTC')}, 6, 'UTC') AS sampled,
    (SELECT (arrayPushBack(groupArray(m.h), toUInt64(0)), arrayPushBack(groupArray(m.swept), toUInt64(0)))
     FROM (SELECT cityHash64(toString(router), peer_key) AS h, max(before) AS swept FROM ribscope.marks WHERE effect = 'sweep' AND rib = 'any' AND afi = 0 GROUP BY h) AS m) AS floors,
    reports AS
    (
        -- 7 and 8 count all families, 9 and 10 one; of the Loc-RIB only what its own peer says (RFC 9069 section 5.5).
        SELECT s.router AS router, if(s.stat_type IN (7, 9), 'adj_in_pre', 'loc_rib') AS of_rib, s.stat_type IN (7, 8) AS total, s.afi AS afi, s.safi AS safi, s.value AS value
        FROM ribscope.stats_state AS s FINAL
        WHERE (s.stat_type IN (7, 9) OR s.rib = 'loc_rib')
            AND s.pos >= greatest(transform(cityHash64(toString(s.router), toUInt64(0)), floors.1, floors.2, toUInt64(0)), transform(cityHash64(toString(s.router), s.peer_key), floors.1, floors.2, toUInt64(0)))
    )
SELECT x.router, x.rib, x.afi, x.safi, toStartOfMinute(sampled), sampled, sum(x.n), sum(x.s), sum(x.reported_), any(t.all_)
FROM
(
    SELECT toString(l.router) AS router, toString(l.rib) AS rib, l.afi AS afi, l.safi AS safi, count() AS n, countIf(l.stale = 1) AS s, CAST(NULL, 'Nullable(UInt64)') AS reported_
    FROM ribscope.rib_live AS l GROUP BY l.router, l.rib, l.afi, l.safi
    UNION ALL
    SELECT DISTINCT toString(v.router), toString(v.rib), v.afi, v.safi, toUInt64(0), toUInt64(0), CAST(NULL, 'Nullable(UInt64)') FROM ribscope.view_counts AS v
    UNION ALL
    SELECT toString(r.router), r.of_rib, r.afi, r.safi, toUInt64(0), toUInt64(0), CAST(sum(r.value), 'Nullable(UInt64)') FROM reports AS r WHERE NOT r.total GROUP BY r.router, r.of_rib, r.afi, r.safi
) AS x
LEFT JOIN (SELECT toString(router) AS router, of_rib, CAST(sum(value), 'Nullable(UInt64)') AS all_ FROM reports WHERE total GROUP BY router, of_rib) AS t ON t.router = x.router AND t.of_rib = x.rib
GROUP BY x.router, x.rib, x.afi, x.safi
SETTINGS join_use_nulls = 1
