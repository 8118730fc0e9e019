-- Who is at the other end of each BGP session: a node, or a device of the fabric. Written by the analyst from fabric.yaml and
-- by inference; replaced as a whole when something changes.
CREATE TABLE IF NOT EXISTS ribscope.fabric_peers
(
    router        LowCardinality(String) COMMENT 'as in the log: sysName or source address',
    router_name   LowCardinality(String) COMMENT 'name of fabric.yaml, else router',
    router_role   LowCardinality(String) COMMENT 'tor, spine, superspine, rr, border, bgw or empty',
    peer_key      UInt64,
    peer_addr     IPv6,
    peer_asn      UInt32,
    peer_bgp_id   UInt32,
    peer_rd       UInt64,
    node          LowCardinality(String) COMMENT 'name of the node, empty when the peer is none',
    device        LowCardinality(String) COMMENT 'name of the router at the other end, when it exports BMP or is in fabric.yaml',
    source        LowCardinality(String) COMMENT 'configured, or inferred: why'
)
ENGINE = MergeTree
ORDER BY (router, peer_key)
