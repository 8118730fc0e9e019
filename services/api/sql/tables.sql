-- Sizes of tables, a row a step: the last sample of each step; names as of now.
WITH names AS (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router)
SELECT toDateTime64(t.at, 6, 'UTC') AS at, t.router AS router, if(n.name = '', t.router, toString(n.name)) AS router_name, t.rib AS rib, t.afi AS afi, t.safi AS safi,
    t.last_.1 AS routes, t.last_.2 AS stale, t.last_.3 AS reported, t.last_.4 AS reported_all, t.sampled AS sampled_at
FROM
(
    SELECT toDateTime(intDiv(toUInt32(s.minute), {step:UInt32}) * {step:UInt32}, 'UTC') AS at, toString(s.router) AS router, toString(s.rib) AS rib, s.afi AS afi, s.safi AS safi,
        argMax((s.routes, s.stale, s.reported, s.reported_all), s.minute) AS last_, max(s.sampled_at) AS sampled
    FROM ribscope.table_sizes(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}) AS s
    WHERE (empty({rib:String}) OR s.rib = {rib:String}) AND ({afi:UInt16} = 0 OR s.afi = {afi:UInt16}) AND ({safi:UInt8} = 0 OR s.safi = {safi:UInt8})
    GROUP BY at, s.router, s.rib, s.afi, s.safi
) AS t
LEFT JOIN names AS n ON n.router = t.router
WHERE empty({router:String}) OR t.router = {router:String} OR n.name = {router:String}
ORDER BY t.at, router_name, t.router, t.rib, t.afi, t.safi
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
