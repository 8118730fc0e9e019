-- What an analyst of many has found: it gets into findings_log while the analyst holds the lease, and nowhere when it lost it.
CREATE TABLE IF NOT EXISTS ribscope.findings_offered
(
    term        UInt64 COMMENT 'of analyst_lease',
    id          String,
    version     UInt64 COMMENT 'counts the changes of one finding',
    at          DateTime64(6, 'UTC'),
    kind        LowCardinality(String),
    sub_kind    LowCardinality(String),
    cause       LowCardinality(String),
    severity    LowCardinality(String),
    confidence  LowCardinality(String),
    status      LowCardinality(String),
    first_seen  DateTime64(6, 'UTC'),
    last_seen   DateTime64(6, 'UTC'),
    resolved_at Nullable(DateTime64(6, 'UTC')),
    scope       String COMMENT 'JSON object',
    metrics     String COMMENT 'JSON object',
    explanation String,
    evidence    String COMMENT 'JSON array',
    limits      Array(String),
    incident_id String,
    reopened    UInt32
)
ENGINE = Null
