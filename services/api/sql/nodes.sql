-- Nodes with their BGP sessions and the VIPs they announce.
SELECT n.node AS node, arrayMap(x -> IPv4NumToString(x), n.bgp_ids) AS bgp_ids, n.addresses AS addresses, n.asn AS asn, n.rack AS rack, n.site AS site,
    n.expected_tors AS expected_tors, n.source AS source, p.n_up AS sessions_up, p.n_down AS sessions_down, e.vips_up AS vips_up, e.vips_down AS vips_down
FROM ribscope.fabric_nodes AS n
LEFT JOIN
(
    SELECT f.node AS node, countIf(s.up) AS n_up, countIf(NOT s.up) AS n_down
    FROM ribscope.fabric_peers AS f
    INNER JOIN ribscope.peer_state AS s ON s.router = f.router AND s.peer_key = f.peer_key
    WHERE f.node != ''
    GROUP BY f.node
) AS p ON p.node = n.node
LEFT JOIN
(
    SELECT node, arraySort(groupArrayIf(vip, all_up)) AS vips_up, arraySort(groupArrayIf(vip, NOT all_up)) AS vips_down
    FROM (SELECT node, vip, min(up) AS all_up FROM ribscope.edges GROUP BY node, vip)
    GROUP BY node
) AS e ON e.node = n.node
WHERE empty({node:String}) OR n.node = {node:String}
ORDER BY n.node
