-- The event log: one row per NLRI per BMP Route Monitoring message, append-only. SQL users read the view route_events,
-- which renders these binary columns as text.
--
-- Order: prefix first, because history, longest match and every all-router question read one prefix. An address stands
-- before its family, so that one key range answers for IPv4 as ::ffff:a.b.c.d; afi behind it keeps MAC-only EVPN routes
-- (addr ::, bits 0) apart from the IPv6 default route.
-- Identity of a route: (router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id), without labels, ESI, gateway or
-- VRF: what BGP replaces must replace here (RFC 7432 section 7.2, RFC 9136 section 3.1, RFC 8277 section 2.4).
-- ReplacingMergeTree over the whole identity: a row delivered twice vanishes in a merge; views de-duplicate before.
CREATE TABLE IF NOT EXISTS ribscope.route_log
(
    addr              IPv6 COMMENT 'address of the IP prefix, IPv4 as ::ffff:a.b.c.d, host bits zero; :: when there is none',
    bits              UInt8 COMMENT 'prefix length in the family of ip_version',
    ip_version        UInt8 COMMENT '4, 6, or 0: the NLRI has no IP prefix',
    afi               UInt16,
    safi              UInt8,
    router            LowCardinality(String),
    peer_key          UInt64,
    rib               Enum8('adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    nlri_key          String COMMENT 'rest of the route key: empty (unicast, multicast, labelled), RD (VPN), type and key octets (EVPN), the field itself (unknown family)',
    path_id           UInt32,
    bmp_session       UInt64 COMMENT 'microseconds of the TCP accept' CODEC(ZSTD(1)),
    seq               UInt64 COMMENT 'row number within the BMP session, all tables' CODEC(Delta(8), ZSTD(1)),
    pos               UInt64 MATERIALIZED bmp_session * 4096 + seq COMMENT 'orders all a router ever said' CODEC(Delta(8), ZSTD(1)),
    rx_ts             DateTime64(6, 'UTC') COMMENT 'receive time' CODEC(Delta(8), ZSTD(1)),
    bmp_ts            DateTime64(6, 'UTC') COMMENT 'per-peer header time, RFC 7854 section 4.2; 0: unknown' CODEC(ZSTD(1)),
    collector         LowCardinality(String),
    router_addr       IPv6,
    peer_epoch        UInt32,
    peer_addr         IPv6,
    peer_asn          UInt32,
    peer_bgp_id       UInt32,
    peer_rd           UInt64 COMMENT 'peer distinguisher as a big-endian number',
    phase             Enum8('dump' = 1, 'live' = 2),
    vrf               LowCardinality(String),
    action            Enum8('announce' = 1, 'withdraw' = 2),
    rd                UInt64 COMMENT 'route distinguisher as a big-endian number',
    labels            Array(UInt32),
    next_hop          IPv6,
    next_hop_ll       IPv6 COMMENT 'link-local half of a 32-octet next hop; :: when absent',
    origin            Enum8('igp' = 0, 'egp' = 1, 'incomplete' = 2, '' = 3),
    as_path           Array(UInt32) COMMENT 'nearest AS first, sets and confederations flattened',
    as_path_sets      String COMMENT 'text of the path when it is more than one AS_SEQUENCE, else empty',
    med               UInt32,
    local_pref        UInt32,
    communities       Array(UInt32),
    ext_communities   Array(UInt64) COMMENT 'the eight octets as a big-endian number',
    large_communities Array(UInt32) COMMENT 'three numbers each, flattened',
    originator_id     UInt32,
    cluster_list      Array(UInt32),
    evpn_type         UInt8,
    esi               FixedString(10),
    eth_tag           UInt32,
    mac               FixedString(6),
    gw_ip             IPv6 COMMENT ':: or ::ffff:0.0.0.0 when absent',
    vni               UInt32,
    vni2              UInt32,
    rmac              FixedString(6),
    mm_seq            UInt32,
    link_bw           Float64 COMMENT 'octets per second',
    encap             UInt16 COMMENT 'tunnel type, RFC 9012; 0: none',
    d_path            String,
    flags             UInt32 COMMENT 'bit 0 med, 1 local_pref, 2 next_hop, 3 own_as_prepended, 4 loc_rib_addpath, 5 mm_seq, 6 mm_sticky, 7 is_default_gw, 8 link_bw, 9 mac, 10 rmac, 11 as_path present',
    attr_hash         UInt64,
    fwd_hash          UInt64,
    unknown_attrs     Array(String),
    decode_errors     Array(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(rx_ts)
ORDER BY (addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024, min_compress_block_size = 16384
