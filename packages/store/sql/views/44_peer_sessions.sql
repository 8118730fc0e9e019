-- One row per life of a BGP session as one BMP session told it (peer epoch): who, how it began, what both OPENs agreed on, how it
-- ended and why, in words. An epoch whose `ended` is empty lasts. Losing BMP ends an epoch here (`feed_lost`) and says nothing of BGP.
CREATE OR REPLACE VIEW ribscope.peer_sessions AS
WITH
    -- RFC 7854 section 4.9, RFC 9069 section 5.3
    ['local system closed, NOTIFICATION sent', 'local system closed, no NOTIFICATION', 'remote system closed, NOTIFICATION received', 'remote system closed without NOTIFICATION', 'router no longer sends information on this peer', 'Loc-RIB instance closed'] AS down_reasons,
    -- RFC 4271 section 8.1
    ['ManualStart', 'ManualStop', 'AutomaticStart', 'ManualStart_with_PassiveTcpEstablishment', 'AutomaticStart_with_PassiveTcpEstablishment', 'AutomaticStart_with_DampPeerOscillations', 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment', 'AutomaticStop', 'ConnectRetryTimer_Expires', 'HoldTimer_Expires', 'KeepaliveTimer_Expires', 'DelayOpenTimer_Expires', 'IdleHoldTimer_Expires', 'TcpConnection_Valid', 'Tcp_CR_Invalid', 'Tcp_CR_Acked', 'TcpConnectionConfirmed', 'TcpConnectionFails', 'BGPOpen', 'BGPOpen with DelayOpenTimer running', 'BGPHeaderErr', 'BGPOpenMsgErr', 'OpenCollisionDump', 'NotifMsgVerErr', 'NotifMsg', 'KeepAliveMsg', 'UpdateMsg', 'UpdateMsgErr'] AS fsm_events,
    toDateTime64(0, 6, 'UTC') AS never
SELECT
    p.router AS router, p.router_name AS router_name, p.peer_key AS peer_key, p.bmp_session AS bmp_session, p.peer_epoch AS peer_epoch,
    replaceRegexpOne(toString(p.peer_addr_), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1') AS peer_addr, p.peer_asn_ AS peer_asn, IPv4NumToString(p.peer_bgp_id_) AS peer_bgp_id,
    if(p.peer_rd_ = 0, '', multiIf(bitShiftRight(p.peer_rd_, 48) = 0, concat(toString(bitAnd(bitShiftRight(p.peer_rd_, 32), 65535)), ':', toString(bitAnd(p.peer_rd_, 4294967295))), bitShiftRight(p.peer_rd_, 48) = 1, concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(p.peer_rd_, 16), 4294967295))), ':', toString(bitAnd(p.peer_rd_, 65535))), bitShiftRight(p.peer_rd_, 48) = 2, concat(toString(bitAnd(bitShiftRight(p.peer_rd_, 16), 4294967295)), ':', toString(bitAnd(p.peer_rd_, 65535))), concat('0x', lower(leftPad(hex(p.peer_rd_), 16, '0'))))) AS peer_rd,
    p.vrf_ AS vrf, p.node AS node, p.device AS device, p.kind AS kind,
    if(p.local_addr_ = toIPv6('::'), '', replaceRegexpOne(toString(p.local_addr_), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1')) AS local_addr, p.local_port_ AS local_port, p.remote_port_ AS remote_port,
    p.local_asn_ AS local_asn, if(p.local_bgp_id_ = 0, '', IPv4NumToString(p.local_bgp_id_)) AS local_bgp_id,
    p.began AS began, p.up_at_ AS up_at, if(p.claimed_up_at_ = never, NULL, p.claimed_up_at_) AS claimed_up_at,
    p.ended AS ended, p.down_at AS down_at, if(p.down_at IS NULL, NULL, dateDiff('microsecond', p.up_at_, assumeNotNull(p.down_at)) / 1e6) AS duration_s,
    -- stale: what was said last; whether it is still so is not known.
    multiIf(p.ended = '', 'up', p.ended = 'feed_lost' AND p.next_session = 0, 'stale', 'over') AS state,
    p.reason_ AS reason, p.reason_code_ AS reason_code, p.reason_text AS reason_text,
    p.notification_code_ AS notification_code, p.notification_subcode_ AS notification_subcode, p.notification AS notification,
    p.fsm_event_ AS fsm_event, p.fsm_event_name AS fsm_event_name, p.down_text AS shutdown_text,
    multiIf(
        p.ended = '', '',
        p.ended = 'peer_down', concat(p.reason_text, if(p.notification = '', '', concat(': ', p.notification)), if(p.fsm_event_name = '', '', concat(': ', p.fsm_event_name)), if(p.down_text = '', '', concat(', "', p.down_text, '"'))),
        p.ended = 'replaced', 'another Peer Up came without a Peer Down',
        p.ended = 'absent', 'missing in the table of the next BMP session',
        concat('BMP session lost', if(p.feed_reason = '', '', concat(' (', p.feed_reason, ')')), ': BGP may well be up')) AS why,
    -- Graceful restart: families whose routes stay (stale) after the Peer Down.
    arrayMap(x ->
-- include: fragments/family_of_x.sql
        , p.kept) AS gr_kept,
    if(p.gr_expired_at_ = never, NULL, p.gr_expired_at_) AS gr_expired_at,
    p.hold_time_sent_ AS hold_time_sent, p.hold_time_received_ AS hold_time_received,
    -- RFC 4271 section 4.2: the smaller one is used; 0: hold time is off, or one OPEN is not known.
    if(p.opens_known, least(p.hold_time_sent_, p.hold_time_received_), 0) AS hold_time_s,
    p.opens_known AS opens_known,
    -- RFC 4760 section 8: without the capability, IPv4 unicast is meant.
    if(p.opens_known, arraySort(arrayIntersect(if(empty(p.mp_sent), ['ipv4-unicast'], p.mp_sent), if(empty(p.mp_received), ['ipv4-unicast'], p.mp_received))), CAST([], 'Array(String)')) AS families,
    -- RFC 7911 section 4, as the router sees it: receive: path identifiers in Adj-RIB-In; send: in Adj-RIB-Out.
    arraySort(arrayFilter(x -> if(endsWith(x, '/receive'),
            hasAny(p.paths_sent, [x, replaceOne(x, '/receive', '/both')]) AND hasAny(p.paths_received, [replaceOne(x, '/receive', '/send'), replaceOne(x, '/receive', '/both')]),
            hasAny(p.paths_sent, [x, replaceOne(x, '/send', '/both')]) AND hasAny(p.paths_received, [replaceOne(x, '/send', '/receive'), replaceOne(x, '/send', '/both')])),
        arrayDistinct(arrayFlatten(arrayMap(x -> [concat(splitByChar('/', x)[1], '/receive'), concat(splitByChar('/', x)[1], '/send')], p.paths_sent))))) AS add_path,
    toUInt8(p.opens_known AND arrayExists(c -> startsWith(c, 'as4 '), p.sent) AND arrayExists(c -> startsWith(c, 'as4 '), p.received)) AS as4,
    -- RFC 8950: family/next hop family
    arraySort(arrayIntersect(
        arrayFlatten(arrayMap(c -> arraySlice(splitByChar(' ', c), 2), arrayFilter(c -> startsWith(c, 'extended-next-hop '), p.sent))),
        arrayFlatten(arrayMap(c -> arraySlice(splitByChar(' ', c), 2), arrayFilter(c -> startsWith(c, 'extended-next-hop '), p.received))))) AS extended_next_hop,
    -- As offered: restart time, R restarting, N RFC 8538, families (/F: forwarding kept). Only listed families are retained.
    arrayFirst(c -> startsWith(c, 'graceful-restart '), p.sent) AS gr_sent, arrayFirst(c -> startsWith(c, 'graceful-restart '), p.received) AS gr_received,
    arrayFirst(c -> startsWith(c, 'llgr '), p.sent) AS llgr_sent, arrayFirst(c -> startsWith(c, 'llgr '), p.received) AS llgr_received,
    p.sent AS sent_capabilities, p.received AS received_capabilities,
    p.announces_ AS announces, p.withdraws_ AS withdraws,
    if(p.announces_ + p.withdraws_ = 0, NULL, p.first_rx_) AS first_route_at, if(p.announces_ + p.withdraws_ = 0, NULL, p.last_rx_) AS last_route_at,
    -- The first table, view by view: table, family, and eor (End-of-RIB), quiet (5 s of silence) or max (120 s).
    arraySort(arrayMap(d -> concat(d.1, ' ', arrayMap(x ->
-- include: fragments/family_of_x.sql
        , [(d.2, d.3)])[1], ' ', d.4), p.dumps_)) AS dumps,
    p.dump_end AS dump, if(p.dump_at = never, NULL, p.dump_at) AS dump_done_at
FROM
(
SELECT
    e.router AS router, e.peer_key AS peer_key, e.bmp_session AS bmp_session, e.peer_epoch AS peer_epoch, e.peer_type_ AS peer_type_, e.peer_addr_ AS peer_addr_, e.peer_asn_ AS peer_asn_, e.peer_bgp_id_ AS peer_bgp_id_, e.peer_rd_ AS peer_rd_, e.vrf_ AS vrf_, e.local_addr_ AS local_addr_, e.local_port_ AS local_port_, e.remote_port_ AS remote_port_, e.local_asn_ AS local_asn_, e.local_bgp_id_ AS local_bgp_id_, e.hold_time_sent_ AS hold_time_sent_, e.hold_time_received_ AS hold_time_received_, e.sent AS sent, e.received AS received, e.synthetic_ AS synthetic_, e.up_at_ AS up_at_, e.claimed_up_at_ AS claimed_up_at_, e.is_down AS is_down, e.reason_ AS reason_, e.reason_code_ AS reason_code_, e.notification_code_ AS notification_code_, e.notification_subcode_ AS notification_subcode_, e.fsm_event_ AS fsm_event_, e.down_text AS down_text, e.kept AS kept, e.gr_expired_at_ AS gr_expired_at_, e.dumps_ AS dumps_, e.dump_end AS dump_end, e.dump_at AS dump_at, e.next_session AS next_session,
    if(f.router_name = '', toString(e.router), toString(f.router_name)) AS router_name, toString(f.node) AS node, toString(f.device) AS device, b.down_reason AS feed_reason,
    v.announces AS announces_, v.withdraws AS withdraws_, v.first_rx_ AS first_rx_, v.last_rx_ AS last_rx_,
    -- FRR reports its own routes under an all-zero peer, Loc-RIB is one of peer type 3: neither is a BGP session.
    multiIf(e.peer_type_ = 3, 'loc_rib', e.peer_asn_ = 0 AND e.peer_bgp_id_ = 0, 'local', 'bgp') AS kind,
    -- continued: the same TCP connection as when BMP was lost; restarted: another one, nobody saw how the old one ended.
    multiIf(e.synthetic_, 'synthetic', e.prev_session = 0 OR e.prev_session = e.bmp_session OR e.prev_down, 'peer_up',
        e.prev_ports = (e.local_port_, e.remote_port_), 'continued', 'restarted') AS began,
    multiIf(e.is_down, ('peer_down', e.peer_down_at), e.next_session = e.bmp_session, ('replaced', e.next_up),
        e.bmp_session < b.last_session AND e.next_session = 0 AND b.swept_at != never, ('absent', b.swept_at),
        b.ended_at != never, ('feed_lost', b.ended_at), ('', never)) AS ending,
    ending.1 AS ended, if(ended = '', NULL, ending.2) AS down_at,
    multiIf(NOT e.is_down, '', e.reason_code_ BETWEEN 1 AND 6, down_reasons[e.reason_code_], concat('reason ', toString(e.reason_code_))) AS reason_text,
-- include: fragments/notification_text.sql
    AS notification,
    multiIf(e.fsm_event_ BETWEEN 1 AND 28, fsm_events[e.fsm_event_], e.fsm_event_ = 0, '', concat('event ', toString(e.fsm_event_))) AS fsm_event_name,
    -- Both OPENs are there and can be read; else what they agreed on is not known.
    toUInt8(NOT e.synthetic_ AND e.hold_time_sent_ + length(e.sent) > 0 AND e.hold_time_received_ + length(e.received) > 0) AS opens_known,
    arrayMap(c -> substring(c, 15), arrayFilter(c -> startsWith(c, 'multiprotocol '), e.sent)) AS mp_sent,
    arrayMap(c -> substring(c, 15), arrayFilter(c -> startsWith(c, 'multiprotocol '), e.received)) AS mp_received,
    arrayFlatten(arrayMap(c -> arraySlice(splitByChar(' ', c), 2), arrayFilter(c -> startsWith(c, 'add-path '), e.sent))) AS paths_sent,
    arrayFlatten(arrayMap(c -> arraySlice(splitByChar(' ', c), 2), arrayFilter(c -> startsWith(c, 'add-path '), e.received))) AS paths_received
FROM
(
    SELECT *,
        lagInFrame(bmp_session, 1, toUInt64(0)) OVER w AS prev_session, lagInFrame(toUInt8(is_down), 1, toUInt8(0)) OVER w AS prev_down,
        lagInFrame((local_port_, remote_port_), 1) OVER w AS prev_ports,
        leadInFrame(bmp_session, 1, toUInt64(0)) OVER w AS next_session, leadInFrame(up_at_, 1) OVER w AS next_up
    FROM
    (
        SELECT s.router AS router, s.peer_key AS peer_key, s.bmp_session AS bmp_session, s.peer_epoch AS peer_epoch,
            anyIf(s.peer_type, s.kind = 'peer_up') AS peer_type_, anyIf(s.peer_addr, s.kind = 'peer_up') AS peer_addr_, anyIf(s.peer_asn, s.kind = 'peer_up') AS peer_asn_,
            anyIf(s.peer_bgp_id, s.kind = 'peer_up') AS peer_bgp_id_, anyIf(s.peer_rd, s.kind = 'peer_up') AS peer_rd_, argMaxIf(toString(s.vrf), s.pos, s.vrf != '') AS vrf_,
            argMinIf(s.local_addr, s.pos, s.kind = 'peer_up') AS local_addr_, argMaxIf(s.local_port, s.pos, s.kind = 'peer_up') AS local_port_, argMaxIf(s.remote_port, s.pos, s.kind = 'peer_up') AS remote_port_,
            argMaxIf(s.local_asn, s.pos, s.kind = 'peer_up') AS local_asn_, argMaxIf(s.local_bgp_id, s.pos, s.kind = 'peer_up') AS local_bgp_id_,
            argMaxIf(s.hold_time_sent, s.pos, s.kind = 'peer_up') AS hold_time_sent_, argMaxIf(s.hold_time_received, s.pos, s.kind = 'peer_up') AS hold_time_received_,
            -- A session said in several Peer Ups (Huawei: one per family): capabilities add up.
            arrayDistinct(arrayFlatten(groupArrayIf(s.sent_capabilities, s.kind = 'peer_up'))) AS sent, arrayDistinct(arrayFlatten(groupArrayIf(s.received_capabilities, s.kind = 'peer_up'))) AS received,
            argMinIf(s.synthetic, s.pos, s.kind = 'peer_up') AS synthetic_,
            minIf(s.rx_ts, s.kind = 'peer_up') AS up_at_, argMinIf(s.bmp_ts, s.pos, s.kind = 'peer_up') AS claimed_up_at_,
            countIf(s.kind = 'peer_down' AND s.counted) > 0 AS is_down, maxIf(s.rx_ts, s.kind = 'peer_down' AND s.counted) AS peer_down_at,
            argMaxIf(toString(s.reason), s.pos, s.kind = 'peer_down' AND s.counted) AS reason_, argMaxIf(s.reason_code, s.pos, s.kind = 'peer_down' AND s.counted) AS reason_code_,
            argMaxIf(s.notification_code, s.pos, s.kind = 'peer_down' AND s.counted) AS notification_code_, argMaxIf(s.notification_subcode, s.pos, s.kind = 'peer_down' AND s.counted) AS notification_subcode_,
            argMaxIf(s.fsm_event, s.pos, s.kind = 'peer_down' AND s.counted) AS fsm_event_, argMaxIf(s.text, s.pos, s.kind = 'peer_down' AND s.counted) AS down_text,
            arraySort(arrayMap(m -> (m.3, m.4), arrayFilter(m -> m.1 = 'stale', arrayFlatten(groupArrayIf(s.effects, s.kind = 'peer_down' AND s.counted))))) AS kept,
            maxIf(s.rx_ts, s.kind = 'gr_expired') AS gr_expired_at_,
            groupArrayIf((toString(s.rib), s.afi, s.safi, toString(s.reason)), s.kind = 'dump_done' AND s.rib != 'any') AS dumps_,
            argMaxIf(toString(s.reason), s.pos, s.kind = 'dump_done' AND s.rib = 'any') AS dump_end, maxIf(s.rx_ts, s.kind = 'dump_done' AND s.rib = 'any') AS dump_at
        FROM ribscope.session_log AS s FINAL
        WHERE s.peer_key != 0 AND s.peer_epoch != 0 AND s.kind IN ('peer_up', 'peer_down', 'dump_done', 'gr_expired')
        GROUP BY s.router, s.peer_key, s.bmp_session, s.peer_epoch
        HAVING countIf(s.kind = 'peer_up') > 0
    )
    WINDOW w AS (PARTITION BY router, peer_key ORDER BY bmp_session, peer_epoch ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) AS e
LEFT JOIN
(
    -- Each BMP session: when it ended (or the next one began), and when the table of the router's last one was complete.
    SELECT router, bmp_session, max(bmp_session) OVER (PARTITION BY router) AS last_session,
        multiIf(down != toDateTime64(0, 6, 'UTC'), down, leadInFrame(up, 1) OVER b) AS ended_at, toString(down_reason_) AS down_reason,
        last_value(dumped) OVER (PARTITION BY router ORDER BY bmp_session ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS swept_at
    FROM
    (
        SELECT s.router AS router, s.bmp_session AS bmp_session, minIf(s.rx_ts, s.kind = 'bmp_up') AS up, maxIf(s.rx_ts, s.kind = 'bmp_down') AS down,
            anyIf(s.reason, s.kind = 'bmp_down') AS down_reason_, maxIf(s.rx_ts, s.kind = 'dump_done') AS dumped
        FROM ribscope.session_log AS s FINAL
        WHERE s.peer_key = 0
        GROUP BY s.router, s.bmp_session
    )
    WINDOW b AS (PARTITION BY router ORDER BY bmp_session ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) AS b ON b.router = e.router AND b.bmp_session = e.bmp_session
LEFT JOIN
(
    SELECT c.router AS router, c.peer_key AS peer_key, c.bmp_session AS bmp_session, c.peer_epoch AS peer_epoch,
        sum(c.a) AS announces, sum(c.w) AS withdraws, min(c.first_) AS first_rx_, max(c.last_) AS last_rx_
    FROM
    (
        SELECT router, peer_key, bmp_session, peer_epoch, rib, afi, safi, groupBitmapMerge(announces) AS a, groupBitmapMerge(withdraws) AS w, min(first_rx) AS first_, max(last_rx) AS last_
        FROM ribscope.view_counts
        GROUP BY router, peer_key, bmp_session, peer_epoch, rib, afi, safi
    ) AS c
    GROUP BY c.router, c.peer_key, c.bmp_session, c.peer_epoch
) AS v ON v.router = e.router AND v.peer_key = e.peer_key AND v.bmp_session = e.bmp_session AND v.peer_epoch = e.peer_epoch
LEFT JOIN ribscope.fabric_peers AS f ON f.router = e.router AND f.peer_key = e.peer_key
) AS p
