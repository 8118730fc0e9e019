-- The views in which peers that have said nothing are missed: families that both OPENs have and in which others have routes. A counter
-- of the router that is 0 says that the table is empty indeed.
SELECT p.router AS router, any(if(r.name = '', toString(p.router), toString(r.name))) AS name, toString(v.first_rib) AS rib, v.afi AS afi, v.safi AS safi,
    v.announces AS announces, v.withdraws AS withdraws, toUnixTimestamp64Micro(min(p.up_at)) AS since,
    arraySort(x -> (x.2, x.1), groupArray((multiIf(p.node != '', p.node, p.device != '', p.device, p.peer_addr), toUnixTimestamp64Micro(p.up_at)))) AS peers
FROM ribscope.peer_sessions AS p
INNER JOIN
(
    SELECT h.router AS router, argMin(h.rib, toInt8(h.rib)) AS first_rib, h.afi AS afi, h.safi AS safi, argMin(h.announces, toInt8(h.rib)) AS announces, argMin(h.withdraws, toInt8(h.rib)) AS withdraws,
        arrayMap(x ->
            transform(toUInt32(x.1) * 256 + x.2, [257, 513, 6470, 258, 514, 260, 516, 384, 640], ['ipv4-unicast', 'ipv6-unicast', 'l2vpn-evpn', 'ipv4-multicast', 'ipv6-multicast', 'ipv4-labeled', 'ipv6-labeled', 'ipv4-vpn', 'ipv6-vpn'], ''), [(h.afi, h.safi)])[1] AS family
    FROM ribscope.view_health AS h
    WHERE h.rib IN ('adj_in_pre', 'adj_in_post') AND h.announces > 0
    GROUP BY h.router, h.afi, h.safi
) AS v ON v.router = p.router
LEFT JOIN (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = p.router
WHERE p.state = 'up' AND p.announces + p.withdraws = 0 AND has(p.families, v.family)
    AND (p.router, toString(p.peer_key)) IN (SELECT a, b FROM (SELECT {routers:Array(String)} AS a, {keys:Array(String)} AS b) ARRAY JOIN a, b)
    AND (p.router, p.peer_key, p.bmp_session, p.peer_epoch) NOT IN
    (
        SELECT s.router, s.peer_key, s.bmp_session, s.peer_epoch FROM ribscope.stats_log AS s
        WHERE s.stat_type IN (7, 9, 18, 19) GROUP BY s.router, s.peer_key, s.bmp_session, s.peer_epoch HAVING max(s.value) = 0
    )
GROUP BY p.router, v.first_rib, v.afi, v.safi, v.announces, v.withdraws
ORDER BY name, rib, afi, safi
