-- Prefixes that change most, with their hours.
SELECT t.prefix AS prefix, t.afi AS afi, t.safi AS safi, sum(t.a) AS announces, sum(t.w) AS withdraws, announces + withdraws AS changes,
    arraySort(groupUniqArrayArray(t.routers_)) AS routers, arraySort(groupArray((t.hour, t.a, t.w))) AS hours
FROM
(
    SELECT p.prefix AS prefix, p.afi AS afi, p.safi AS safi, toDateTime64(p.hour, 6, 'UTC') AS hour, sum(p.announces) AS a, sum(p.withdraws) AS w, groupUniqArray(toString(p.router)) AS routers_
    FROM ribscope.prefix_churn(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}) AS p
    WHERE (empty({prefix:String}) OR p.prefix = {prefix:String})
        AND (empty({rib:String}) OR p.rib = {rib:String}) AND ({afi:UInt16} = 0 OR p.afi = {afi:UInt16}) AND ({safi:UInt8} = 0 OR p.safi = {safi:UInt8})
        AND (empty({router:String}) OR p.router = {router:String} OR p.router IN (SELECT r.router FROM ribscope.fabric_routers AS r WHERE r.name = {router:String}))
    GROUP BY p.prefix, p.afi, p.safi, p.hour
) AS t
GROUP BY t.prefix, t.afi, t.safi
ORDER BY changes DESC, t.prefix, t.afi, t.safi
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
