-- Life of BMP sessions and of the peers in them. SQL users read the view session_events.
-- effects: what the fact means for state (marks), in the same row, so that fact and consequence arrive together.
CREATE TABLE IF NOT EXISTS ribscope.session_log
(
    router                LowCardinality(String),
    peer_key              UInt64 COMMENT '0: the BMP session itself',
    bmp_session           UInt64,
    seq                   UInt64,
    pos                   UInt64 MATERIALIZED bmp_session * 4096 + seq,
    rx_ts                 DateTime64(6, 'UTC'),
    bmp_ts                DateTime64(6, 'UTC'),
    collector             LowCardinality(String),
    router_addr           IPv6,
    kind                  Enum8('bmp_up' = 1, 'bmp_down' = 2, 'peer_up' = 3, 'peer_down' = 4, 'eor' = 5, 'dump_done' = 6, 'initiation' = 7, 'termination' = 8, 'gr_expired' = 9),
    peer_epoch            UInt32,
    peer_type             UInt8,
    peer_addr             IPv6,
    peer_asn              UInt32,
    peer_bgp_id           UInt32,
    peer_rd               UInt64,
    rib                   Enum8('any' = 0, 'adj_in_pre' = 1, 'adj_in_post' = 2, 'loc_rib' = 3, 'adj_out_pre' = 4, 'adj_out_post' = 5),
    afi                   UInt16,
    safi                  UInt8,
    vrf                   LowCardinality(String),
    reason                LowCardinality(String) COMMENT 'in words: eor, quiet, max; fin, rst, silence; local-notification ...',
    reason_code           UInt8 COMMENT 'Peer Down reason (RFC 7854 section 4.9) or Termination reason',
    notification_code     UInt8,
    notification_subcode  UInt8,
    fsm_event             UInt16,
    text                  String COMMENT 'shutdown communication, sysDescr, free text; control characters removed',
    synthetic             UInt8 COMMENT '1: the router did not say it, the collector concluded it (a peer without Peer Up)',
    counted               UInt8 COMMENT 'peer_down only: 1 when the peer was up, so that it is an outage',
    local_addr            IPv6,
    local_port            UInt16,
    remote_port           UInt16,
    local_asn             UInt32,
    local_bgp_id          UInt32,
    hold_time_sent        UInt16,
    hold_time_received    UInt16,
    sent_capabilities     Array(String),
    received_capabilities Array(String),
    effects               Array(Tuple(effect String, rib String, afi UInt16, safi UInt8, before_seq UInt64, cause String)),
    inserted_at           DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(rx_ts)
ORDER BY (router, peer_key, pos)
SETTINGS non_replicated_deduplication_window = 10000
