-- Prefixes that detectors treat as VIPs, each with the first reason.
CREATE TABLE IF NOT EXISTS ribscope.fabric_vips
(
    addr           IPv6,
    bits           UInt8,
    ip_version     UInt8,
    prefix         String,
    service        LowCardinality(String),
    cluster        LowCardinality(String),
    pair           String,
    mode           LowCardinality(String),
    expected_nodes Array(String),
    source         LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (addr, bits)
