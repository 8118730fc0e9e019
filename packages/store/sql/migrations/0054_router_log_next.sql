-- As router_log.
CREATE TABLE IF NOT EXISTS ribscope.router_log_next
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
