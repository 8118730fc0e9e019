CREATE TABLE IF NOT EXISTS ribscope.incidents_log
(
    id         String,
    version    UInt64,
    at         DateTime64(6, 'UTC'),
    cause      LowCardinality(String),
    entity     LowCardinality(String) COMMENT 'node, tor, router, cluster or vip',
    name       String,
    severity   LowCardinality(String),
    status     LowCardinality(String),
    first_seen DateTime64(6, 'UTC'),
    last_seen  DateTime64(6, 'UTC'),
    findings   Array(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (id, version)
SETTINGS non_replicated_deduplication_window = 10000
