SELECT router, router_name, router_role, toString(peer_key) AS peer_key, replaceOne(toString(peer_addr), '::ffff:', '') AS peer_addr, peer_asn,
    IPv4NumToString(peer_bgp_id) AS peer_bgp_id, node, device, source
FROM ribscope.fabric_peers
ORDER BY router_name, router, fabric_peers.peer_addr, fabric_peers.peer_key
