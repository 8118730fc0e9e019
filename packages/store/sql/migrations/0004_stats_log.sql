-- Statistics Reports (RFC 7854 section 4.8, RFC 8671 section 6, RFC 9069 section 5.5): one row per counter. View: stats.
CREATE TABLE IF NOT EXISTS ribscope.stats_log
(
    router      LowCardinality(String),
    peer_key    UInt64,
    stat_type   UInt16,
    afi         UInt16 COMMENT '0: the counter is not per family',
    safi        UInt8,
    bmp_session UInt64,
    seq         UInt64,
    rx_ts       DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    bmp_ts      DateTime64(6, 'UTC'),
    collector   LowCardinality(String),
    router_addr IPv6,
    peer_epoch  UInt32,
    peer_addr   IPv6,
    peer_asn    UInt32,
    peer_bgp_id UInt32,
    peer_rd     UInt64,
    rib         Enum8('any' = 0, 'adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    value       UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(rx_ts)
ORDER BY (router, peer_key, stat_type, afi, safi, bmp_session, seq)
SETTINGS non_replicated_deduplication_window = 10000
