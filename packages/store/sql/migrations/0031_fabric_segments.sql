-- Address ranges and communities of fabric.yaml that tell what a prefix is.
CREATE TABLE IF NOT EXISTS ribscope.fabric_segments
(
    kind       LowCardinality(String) COMMENT 'vip, node, pod or community',
    lo         IPv6,
    hi         IPv6,
    ip_version UInt8,
    bits       UInt8,
    community  UInt32
)
ENGINE = MergeTree
ORDER BY (kind, lo)
