-- Which host stands behind a prefix (a node's pods), for Type-5 routes without gateway address.
CREATE TABLE IF NOT EXISTS ribscope.fabric_prefix_nodes (addr IPv6, bits UInt8, node_ip IPv6) ENGINE = MergeTree ORDER BY (addr, bits)
