-- What each view (router, table, family) said in each minute of receive time, kept at insert. Like view_counts: sets of seq and not
-- sums, so that a row that is delivered twice, whatever its token, is one row. seq is unique within a BMP session: sets of one
-- session may be merged over minutes and views, their sizes added over sessions. View: churn.
CREATE TABLE IF NOT EXISTS ribscope.churn_minutes
(
    router      LowCardinality(String),
    rib         Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    afi         UInt16,
    safi        UInt8,
    minute      DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    bmp_session UInt64,
    dumped      AggregateFunction(groupBitmap, UInt64) COMMENT 'seq of announcements of a first table: no churn',
    announces   AggregateFunction(groupBitmap, UInt64) COMMENT 'seq of the other announcements',
    withdraws   AggregateFunction(groupBitmap, UInt64) COMMENT 'seq of the withdrawals'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (router, rib, afi, safi, minute, bmp_session)
SETTINGS non_replicated_deduplication_window = 10000
