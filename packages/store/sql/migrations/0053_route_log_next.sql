-- As route_log.
CREATE TABLE IF NOT EXISTS ribscope.route_log_next
(
-- include: fragments/route_columns.sql
    , kept UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree
PARTITION BY if(kept = 1, toUInt32(0), toYYYYMMDD(rx_ts))
ORDER BY (addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos)
SETTINGS index_granularity = 1024, min_compress_block_size = 16384
