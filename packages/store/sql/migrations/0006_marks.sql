-- Marks: "at pos, what this scope announced before position `before` is stale (doubtful) or swept (gone), because of cause".
-- A Peer Down is one mark, whatever the size of its table. Scope: peer_key 0 = whole router; rib any = whole peer.
-- rib any with a family = that family of a peer, in all its tables.
-- A route is announced when its last row is an announcement and no sweep of its four scopes has before > pos.
CREATE TABLE IF NOT EXISTS ribscope.marks
(
    router   LowCardinality(String),
    peer_key UInt64,
    rib      Enum8('any' = 0, 'adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    afi      UInt16,
    safi     UInt8,
    effect   Enum8('stale' = 1, 'sweep' = 2),
    pos      UInt64,
    before   UInt64,
    rx_ts    DateTime64(6, 'UTC'),
    cause    LowCardinality(String),
    inserted_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (router, peer_key, pos, effect, rib, afi, safi)
SETTINGS non_replicated_deduplication_window = 10000
