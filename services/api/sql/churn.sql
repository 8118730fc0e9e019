-- Rates of announcements and withdrawals in steps, with the sessions that came and went; names as of now.
WITH names AS (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router)
SELECT toDateTime64(c.at, 6, 'UTC') AS at, c.router AS router, if(n.name = '', c.router, toString(n.name)) AS router_name,
    c.announces AS announces, c.withdraws AS withdraws, c.dumped AS dumped,
    round(c.announces / {step:UInt32}, 6) AS announces_per_s, round(c.withdraws / {step:UInt32}, 6) AS withdraws_per_s,
    s.bmp_sessions_up AS bmp_sessions_up, s.bmp_sessions_down AS bmp_sessions_down, s.peers_up AS peers_up, s.peers_down AS peers_down,
    c.views AS views
FROM
(
    SELECT k.at AS at, k.router AS router, sum(k.a) AS announces, sum(k.w) AS withdraws, sum(k.d) AS dumped,
        arraySort(groupArrayIf((k.rib, k.afi, k.safi, k.a, k.w, k.d), k.rib != '')) AS views
    FROM
    (
        SELECT v.at AS at, toString(v.router) AS router, toString(v.rib) AS rib, v.afi AS afi, v.safi AS safi, v.announces AS a, v.withdraws AS w, v.dumped AS d
        FROM ribscope.churn(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}, step_s = {step:UInt32}) AS v
        WHERE (empty({rib:String}) OR v.rib = {rib:String}) AND ({afi:UInt16} = 0 OR v.afi = {afi:UInt16}) AND ({safi:UInt8} = 0 OR v.safi = {safi:UInt8})
        UNION ALL
        SELECT e.at, toString(e.router), '', toUInt16(0), toUInt8(0), toUInt64(0), toUInt64(0), toUInt64(0)
        FROM ribscope.session_churn(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}, step_s = {step:UInt32}) AS e
    ) AS k
    GROUP BY k.at, k.router
) AS c
LEFT JOIN ribscope.session_churn(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}, step_s = {step:UInt32}) AS s ON s.at = c.at AND s.router = c.router
LEFT JOIN names AS n ON n.router = c.router
WHERE empty({router:String}) OR c.router = {router:String} OR n.name = {router:String}
ORDER BY c.at, router_name, c.router
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
