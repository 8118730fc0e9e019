-- What names a node beside its own session: id: BGP identifier, ip: address, as: AS number when it is the node's alone.
CREATE TABLE IF NOT EXISTS ribscope.fabric_node_keys (key String, node LowCardinality(String)) ENGINE = MergeTree ORDER BY key
