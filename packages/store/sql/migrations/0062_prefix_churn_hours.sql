-- What was said about each IP prefix in each hour, after the first tables: who is never at rest. Sets of pos (unique within a router),
-- for the same reason as in churn_minutes; most hold few numbers, for which uniqExact is the cheaper set. View: prefix_churn.
CREATE TABLE IF NOT EXISTS ribscope.prefix_churn_hours
(
    hour       DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    addr       IPv6,
    bits       UInt8,
    family     UInt16 COMMENT 'afi * 256 + safi: families with IP prefixes have small numbers',
    rib        Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    router     LowCardinality(String),
    ip_version SimpleAggregateFunction(max, UInt8),
    announces  AggregateFunction(uniqExact, UInt64) COMMENT 'pos of the announcements',
    withdraws  AggregateFunction(uniqExact, UInt64) COMMENT 'pos of the withdrawals'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, addr, bits, family, rib, router)
SETTINGS non_replicated_deduplication_window = 10000
