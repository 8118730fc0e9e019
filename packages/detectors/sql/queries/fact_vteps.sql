-- VTEP addresses as seen in EVPN routes, and who originated routes with them: neighbours that announced them as their own.
SELECT replaceOne(toString(e.next_hop), '::ffff:', '') AS ip,
    arraySort(groupUniqArrayIf(p.device, p.device != '' AND (e.originator_id = 0 OR e.originator_id = p.peer_bgp_id) AND length(if(bitTest(e.flags, 3), arraySlice(e.as_path, 2), e.as_path)) <= 1)) AS devices
FROM ribscope.evpn_state AS e FINAL
INNER JOIN ribscope.fabric_peers AS p ON p.router = e.router AND p.peer_key = e.peer_key
WHERE e.action = 'announce' AND e.evpn_type IN (2, 3, 5) AND e.rib IN ('adj_in_pre', 'adj_in_post') AND e.next_hop NOT IN (toIPv6('::'), toIPv6('::ffff:0.0.0.0'))
GROUP BY e.next_hop
ORDER BY ip
