-- Since when each route is as it is, up to the watermark of since_watermark: what rib_current would have to look for in all of the
-- history. Written by src/since.ts from the view route_since_tail; what came after the watermark is worked out when read.
CREATE TABLE IF NOT EXISTS ribscope.rib_since
(
    router     LowCardinality(String),
    route_hash UInt64 COMMENT 'of (peer_key, rib, afi, safi, addr, bits, nlri_key, path_id)',
    peer_key   UInt64,
    rib        Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    afi        UInt16,
    safi       UInt8,
    attr_hash  UInt64,
    up         UInt8 COMMENT '1: the last row is an announcement',
    pos        UInt64 COMMENT 'of the last row',
    rx_ts      DateTime64(6, 'UTC') COMMENT 'of the last row',
    since_pos  UInt64 COMMENT 'of the last row that was no duplicate',
    since      DateTime64(6, 'UTC'),
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (router, route_hash)
