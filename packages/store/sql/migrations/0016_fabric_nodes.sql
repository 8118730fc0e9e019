CREATE TABLE IF NOT EXISTS ribscope.fabric_nodes
(
    node          LowCardinality(String),
    bgp_ids       Array(UInt32),
    addresses     Array(String),
    asn           UInt32,
    rack          LowCardinality(String),
    site          LowCardinality(String),
    expected_tors Array(String) COMMENT 'router names: configured, else every ToR that had a session with it',
    source        LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY node
