-- The definition behind edge_transitions; the analyst writes what changed into edge_log, because every detector stands on it.
-- "Does node N announce VIP V on ToR T": changes of that state, at the ToRs (vantage 0), from the canonical view only. Several
-- sessions or paths of one node on one ToR are one link. Duplicates, refreshes and dumps of an unchanged table are no rows.
--   class  NEW, WADUP, WADIFF: the link came up; AW: it went down; AADIFF: it leads another way
--   w      penalty weight (DETECTORS A.2): 1000 down, 500 other way, 0 up and whatever reconcile found
CREATE OR REPLACE VIEW ribscope.edge_classify AS
WITH
    (SELECT (arrayPushBack(groupArray(rd), toUInt64(0)), arrayPushBack(groupArray(toString(vrf)), '')) FROM ribscope.fabric_rds) AS rds,
    (SELECT (arrayPushBack(groupArray(d.h), toUInt64(0)), arrayPushBack(groupArray(d.at), CAST([], 'Array(DateTime64(6, \'UTC\'))')))
     FROM (SELECT cityHash64(toString(router), peer_key) AS h, groupArray(rx_ts) AS at
           FROM ribscope.session_log FINAL WHERE kind = 'peer_down' AND counted GROUP BY h) AS d) AS downs
SELECT
    prefix AS vip, vrf, node, tor, rx_ts, pos, router, peer_key, seq,
    if(cls = 'AADIFF', 'AADIFF', if(level = 0, 'AW', if(cls IN ('AW', 'AADIFF'), 'WADUP', cls))) AS class,
    cause, gshut, phase,
    toUInt32(multiIf(cause = 'reconcile', 0, class = 'AW', 1000, class = 'AADIFF', 500, 0)) AS w
FROM
(
    SELECT *,
        toInt64(sum(delta) OVER (PARTITION BY prefix, vrf, node, tor ORDER BY rx_ts, pos, implied ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS level,
        level - delta AS before_level
    FROM
    (
        SELECT v.prefix AS prefix,
-- include: fragments/vrf_of_t.sql
            AS vrf, p.node AS node, p.router_name AS tor, t.rx_ts AS rx_ts, t.pos AS pos,
            t.implied AS implied, t.router AS router, t.peer_key AS peer_key, t.seq AS seq, t.class AS cls, t.phase AS phase,
            multiIf(t.class IN ('NEW', 'WADUP', 'WADIFF'), 1, t.class = 'AW', -1, 0) AS delta,
            -- An explicit withdrawal just before or after the Peer Down of its session is part of it (P8).
            if(t.cause = 'update' AND t.class = 'AW'
                AND arrayExists(x -> x BETWEEN t.rx_ts - INTERVAL 2 SECOND AND t.rx_ts + INTERVAL 10 SECOND,
                    downs.2[transform(cityHash64(toString(t.router), t.peer_key), downs.1, arrayEnumerate(downs.1), 0)]),
                'peer_down', t.cause) AS cause,
            t.prior_gshut AS gshut
        FROM ribscope.route_transitions AS t FINAL
        INNER JOIN ribscope.fabric_vips AS v ON v.addr = t.addr AND v.bits = t.bits AND v.ip_version = t.ip_version
        INNER JOIN ribscope.fabric_peers AS p ON p.router = t.router AND p.peer_key = t.peer_key
        INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
        WHERE t.afi IN (1, 2) AND t.safi = 1 AND p.node != '' AND t.class != 'AAATTR'
    )
)
WHERE cls = 'AADIFF' OR (delta = 1 AND level = 1) OR (delta = -1 AND level = 0)
