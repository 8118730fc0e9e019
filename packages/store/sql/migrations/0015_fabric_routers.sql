-- Routers that stream BMP or stand in fabric.yaml. Like all fabric_ tables: written by the analyst from fabric.yaml and by
-- inference, replaced as a whole; each fact says where it comes from.
CREATE TABLE IF NOT EXISTS ribscope.fabric_routers
(
    router             LowCardinality(String) COMMENT 'as in the log: sysName or source address; empty: never seen',
    name               LowCardinality(String),
    role               LowCardinality(String),
    role_source        LowCardinality(String) COMMENT 'configured, or inferred: why',
    rack               LowCardinality(String),
    pair               LowCardinality(String) COMMENT 'ToRs of one pair are siblings',
    pair_source        LowCardinality(String),
    site               LowCardinality(String),
    asn                UInt32,
    bgp_id             UInt32,
    address            String,
    multipath_relax    UInt8,
    max_paths_ebgp     UInt16,
    max_paths_ibgp     UInt16,
    always_compare_med UInt8,
    policy_known       UInt8,
    stateful           UInt8
)
ENGINE = MergeTree
ORDER BY (name, router)
