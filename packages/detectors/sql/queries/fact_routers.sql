SELECT s.router AS router, replaceOne(toString(s.address), '::ffff:', '') AS address, p.ids AS bgp_ids, p.asn AS asn
FROM ribscope.router_state AS s
LEFT JOIN
(
    SELECT router, arraySort(groupUniqArrayIf(IPv4NumToString(local_bgp_id), local_bgp_id != 0)) AS ids, max(local_asn) AS asn
    FROM ribscope.peer_state
    GROUP BY router
) AS p ON p.router = s.router
ORDER BY router
