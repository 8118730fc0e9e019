-- The same rows in the order in which each router said them: windows of time and the past state of a whole router. stored_at: when
-- the row was stored, by which a checkpoint knows what came after it.
CREATE TABLE IF NOT EXISTS ribscope.router_log
(
-- include: fragments/route_columns.sql
    , kept UInt8 DEFAULT 0,
    stored_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    INDEX by_time rx_ts TYPE minmax GRANULARITY 1,
    INDEX by_storage stored_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY if(kept = 1, toUInt32(0), toYYYYMMDD(rx_ts))
ORDER BY (router, pos)
SETTINGS non_replicated_deduplication_window = 10000
