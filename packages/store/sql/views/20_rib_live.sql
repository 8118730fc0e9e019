-- Routes that are announced now, in binary columns: last row is an announcement and no sweep of its scopes lies behind it.
-- swept_floor: below this position what the route said is gone; stale: the BMP session was lost or remade since and the route was not confirmed, or graceful restart keeps it.
CREATE OR REPLACE VIEW ribscope.rib_live AS
WITH
-- include: fragments/floors_of_marks.sql
           FROM
           (
               SELECT router, peer_key, rib, afi, safi, effect, before FROM ribscope.marks
               UNION ALL
               -- Its collector is silent: what the router said until then.
               SELECT router, 0, CAST('any', 'Enum8(\'any\' = 0, \'adj_in_pre\' = 1, \'adj_in_post\' = 2, \'loc_rib\' = 3, \'adj_out_pre\' = 4, \'adj_out_post\' = 5)'),
                   0, 0, CAST('stale', 'Enum8(\'stale\' = 1, \'sweep\' = 2)'), toUInt64(toUnixTimestamp64Micro(last_beat)) * 4096
               FROM ribscope.silent_sessions WHERE newest
           ) GROUP BY h) AS m) AS floors
SELECT
-- include: fragments/live_route_of_s.sql
    toUInt8(s.pos <
-- include: fragments/stale_floor_of_s.sql
    ) AS stale,
-- include: fragments/swept_floor_of_s.sql
        AS swept_floor
FROM ribscope.rib_state AS s FINAL
WHERE s.action = 'announce' AND s.pos >= swept_floor
