-- Transitions of (VIP, node, ToR) links: rows of the view edge_classify, written by the analyst when something changed. Twice is once.
CREATE TABLE IF NOT EXISTS ribscope.edge_log
(
    vip      LowCardinality(String),
    vrf      LowCardinality(String),
    node     LowCardinality(String),
    tor      LowCardinality(String),
    rx_ts    DateTime64(6, 'UTC'),
    pos      UInt64,
    router   LowCardinality(String),
    peer_key UInt64,
    seq      UInt64,
    class    LowCardinality(String),
    cause    LowCardinality(String),
    gshut    UInt8,
    phase    LowCardinality(String),
    w        UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (vip, vrf, node, tor, rx_ts, pos)
