-- Life of BMP sessions and peers as people read it.
CREATE OR REPLACE VIEW ribscope.session_events AS
SELECT s.rx_ts AS rx_ts, s.seq AS seq, nullIf(s.bmp_ts, toDateTime64(0, 6, 'UTC')) AS bmp_ts, s.collector AS collector, s.router AS router, replaceRegexpOne(toString(s.router_addr), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1') AS router_addr, s.bmp_session AS bmp_session,
    s.kind AS kind, s.peer_key AS peer_key, s.peer_epoch AS peer_epoch, replaceRegexpOne(toString(s.peer_addr), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1') AS peer_addr, s.peer_asn AS peer_asn, IPv4NumToString(s.peer_bgp_id) AS peer_bgp_id, if(s.peer_rd = 0, '', multiIf(bitShiftRight(s.peer_rd, 48) = 0, concat(toString(bitAnd(bitShiftRight(s.peer_rd, 32), 65535)), ':', toString(bitAnd(s.peer_rd, 4294967295))), bitShiftRight(s.peer_rd, 48) = 1, concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(s.peer_rd, 16), 4294967295))), ':', toString(bitAnd(s.peer_rd, 65535))), bitShiftRight(s.peer_rd, 48) = 2, concat(toString(bitAnd(bitShiftRight(s.peer_rd, 16), 4294967295)), ':', toString(bitAnd(s.peer_rd, 65535))), concat('0x', lower(leftPad(hex(s.peer_rd), 16, '0'))))) AS peer_rd, s.peer_type AS peer_type,
    s.rib AS rib, s.afi AS afi, s.safi AS safi, s.vrf AS vrf, s.reason AS reason, s.reason_code AS reason_code,
    s.notification_code AS notification_code, s.notification_subcode AS notification_subcode, s.fsm_event AS fsm_event, s.text AS text,
    s.synthetic AS synthetic, s.counted AS counted,
    if(s.kind = 'peer_up', replaceRegexpOne(toString(s.local_addr), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1'), '') AS local_addr, s.local_port AS local_port, s.remote_port AS remote_port, s.local_asn AS local_asn,
    if(s.local_bgp_id = 0, '', IPv4NumToString(s.local_bgp_id)) AS local_bgp_id, s.hold_time_sent AS hold_time_sent, s.hold_time_received AS hold_time_received,
    s.sent_capabilities AS sent_capabilities, s.received_capabilities AS received_capabilities
FROM ribscope.session_log AS s FINAL
