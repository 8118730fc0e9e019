SELECT node, arrayMap(x -> IPv4NumToString(x), bgp_ids) AS bgp_ids, addresses, asn, rack, site, expected_tors, source
FROM ribscope.fabric_nodes
ORDER BY node
