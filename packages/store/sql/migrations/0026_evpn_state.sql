-- The last state of every EVPN route, with the time since when it is so (refreshes do not count). From route_transitions.
CREATE TABLE IF NOT EXISTS ribscope.evpn_state
(
    version         UInt64 COMMENT 'pos * 2 + implied',
    afi             UInt16,
    safi            UInt8,
    addr            IPv6,
    bits            UInt8,
    router          LowCardinality(String),
    peer_key        UInt64,
    rib             Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    nlri_key        String,
    path_id         UInt32,
    pos             UInt64,
    implied         UInt8,
    action          Enum8('announce' = 1, 'withdraw' = 2),
    since           DateTime64(6, 'UTC'),
    ip_version      UInt8,
    seq             UInt64,
    rd              UInt64,
    next_hop        IPv6,
    as_path         Array(UInt32),
    communities     Array(UInt32),
    ext_communities Array(UInt64),
    originator_id   UInt32,
    evpn_type       UInt8,
    esi             FixedString(10),
    eth_tag         UInt32,
    mac             FixedString(6),
    gw_ip           IPv6,
    vni             UInt32,
    vni2            UInt32,
    rmac            FixedString(6),
    mm_seq          UInt32,
    flags           UInt32
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (afi, safi, addr, bits, router, peer_key, rib, nlri_key, path_id)
