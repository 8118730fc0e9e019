SELECT prefix, service, cluster, pair, mode, expected_nodes, source
FROM ribscope.fabric_vips
ORDER BY ip_version, addr, bits
