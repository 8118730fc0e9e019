-- The event log, prefix first: history, longest match and every all-router question read one prefix. SQL users read route_events.
-- An address stands before its family, so that one key range answers for IPv4 as ::ffff:a.b.c.d; afi behind it keeps MAC-only EVPN
-- routes (addr ::, bits 0) apart from the IPv6 default route.
-- Identity of a route: (router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id), without labels, ESI, gateway or
-- VRF: what BGP replaces must replace here (RFC 7432 section 7.2, RFC 9136 section 3.1, RFC 8277 section 2.4).
-- ReplacingMergeTree over the whole identity: a row delivered twice vanishes in a merge; views de-duplicate before.
-- kept: 1 for rows that outlive the retention because they still make the current state (docs/operations.md), in a partition of
-- their own; days are partitions, so that retention drops whole ones.
CREATE TABLE IF NOT EXISTS ribscope.route_log
(
-- include: fragments/route_columns.sql
    , kept UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree
PARTITION BY if(kept = 1, toUInt32(0), toYYYYMMDD(rx_ts))
ORDER BY (addr, bits, afi, safi, router, peer_key, rib, nlri_key, path_id, pos)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024, min_compress_block_size = 16384
