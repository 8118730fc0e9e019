-- What each BGP session passes on, counted at insert: a neighbour that passes on paths of others is a device, not a node.
CREATE TABLE IF NOT EXISTS ribscope.peer_facts
(
    router    LowCardinality(String),
    peer_key  UInt64,
    passes_on SimpleAggregateFunction(max, UInt8) COMMENT '1: some path has an AS other than the peer, or an originator other than the peer',
    reflects  SimpleAggregateFunction(max, UInt8) COMMENT '1: some path has an ORIGINATOR_ID that is not the peer',
    unicast   SimpleAggregateFunction(sum, UInt64),
    evpn      SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (router, peer_key)
SETTINGS non_replicated_deduplication_window = 10000
