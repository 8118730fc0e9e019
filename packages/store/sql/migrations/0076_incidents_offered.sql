-- What an analyst of many has found: it gets into incidents_log while the analyst holds the lease, and nowhere when it lost it.
CREATE TABLE IF NOT EXISTS ribscope.incidents_offered
(
    term        UInt64 COMMENT 'of analyst_lease',
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
ENGINE = Null
