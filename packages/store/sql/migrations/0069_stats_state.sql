-- The last value of every counter of table sizes (RFC 7854 section 4.8, types 7 to 10) of every peer.
CREATE TABLE IF NOT EXISTS ribscope.stats_state
(
    router    LowCardinality(String),
    peer_key  UInt64,
    rib       Enum8('any' = 0, 'adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    stat_type UInt16,
    afi       UInt16,
    safi      UInt8,
    pos       UInt64,
    value     UInt64
)
ENGINE = ReplacingMergeTree(pos)
ORDER BY (router, peer_key, rib, stat_type, afi, safi)
SETTINGS non_replicated_deduplication_window = 10000
