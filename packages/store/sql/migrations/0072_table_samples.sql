-- Size of every view's table, counted from the current state by the analyst once a minute; what the router itself said last, beside it.
-- A sample taken again replaces the one of its minute. View: table_sizes.
CREATE TABLE IF NOT EXISTS ribscope.table_samples
(
    router       LowCardinality(String),
    rib          Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    afi          UInt16,
    safi         UInt8,
    minute       DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    sampled_at   DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    routes       UInt64,
    stale        UInt64 COMMENT 'of them: not confirmed since the BMP session was lost, or kept by graceful restart',
    reported     Nullable(UInt64) COMMENT 'sum over peers of the last statistics 9 (Adj-RIB-In) or 10 (Loc-RIB) of this family',
    reported_all Nullable(UInt64) COMMENT 'the same of 7 or 8, which count all families together'
)
ENGINE = ReplacingMergeTree(sampled_at)
PARTITION BY toYYYYMM(minute)
ORDER BY (router, rib, afi, safi, minute)
SETTINGS non_replicated_deduplication_window = 10000
