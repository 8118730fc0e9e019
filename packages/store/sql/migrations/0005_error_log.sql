-- What did not decode, with its bytes: nothing a router sent is dropped silently. View: route_errors.
CREATE TABLE IF NOT EXISTS ribscope.error_log
(
    router      LowCardinality(String),
    bmp_session UInt64,
    seq         UInt64,
    rx_ts       DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    collector   LowCardinality(String),
    router_addr IPv6,
    peer_key    UInt64,
    peer_addr   IPv6,
    stream_offset UInt64 COMMENT 'octet of the BMP stream at which the offending field starts',
    code        LowCardinality(String),
    path        LowCardinality(String) COMMENT 'field, e.g. mp_reach.nlri.evpn(2)',
    spec        LowCardinality(String) COMMENT 'RFC and section',
    treatment   LowCardinality(String) COMMENT 'what a speaker would do: attribute-discard, treat-as-withdraw, session-reset, none',
    text        String,
    raw         String COMMENT 'the offending field or message, at most 4096 octets'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(rx_ts)
ORDER BY (router, bmp_session, seq)
SETTINGS non_replicated_deduplication_window = 10000
