-- Announcements and withdrawals per view and peer epoch, kept at insert: a view that only ever withdraws is lying (DETECTORS P1).
-- Sets of seq and not sums: a row that is delivered twice, whatever its token, is one row.
CREATE TABLE IF NOT EXISTS ribscope.view_counts
(
    router      LowCardinality(String),
    rib         Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    afi         UInt16,
    safi        UInt8,
    peer_key    UInt64,
    bmp_session UInt64,
    peer_epoch  UInt32,
    announced   SimpleAggregateFunction(max, UInt8) COMMENT '1: something was announced',
    announces   AggregateFunction(groupBitmap, UInt64) COMMENT 'seq of the announcements',
    withdraws   AggregateFunction(groupBitmap, UInt64) COMMENT 'seq of the withdrawals',
    first_rx    SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_rx     SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (router, rib, afi, safi, peer_key, bmp_session, peer_epoch)
SETTINGS non_replicated_deduplication_window = 10000
