-- BMP sessions and BGP peers that came and went, per router and minute of receive time; sets of pos. View: session_churn.
CREATE TABLE IF NOT EXISTS ribscope.session_minutes
(
    router     LowCardinality(String),
    minute     DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    bmp_ups    AggregateFunction(groupBitmap, UInt64),
    bmp_downs  AggregateFunction(groupBitmap, UInt64),
    peer_ups   AggregateFunction(groupBitmap, UInt64) COMMENT 'as the router said it: not those that the collector concluded',
    peer_downs AggregateFunction(groupBitmap, UInt64) COMMENT 'of peers that were up'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (router, minute)
SETTINGS non_replicated_deduplication_window = 10000
