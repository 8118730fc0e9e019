-- BGP sessions that came up or went down between two instants (and just before: what came of it may lie between them).
-- initial: the router told it at the start of a BMP session, so that the session may be old.
SELECT toString(s.router) AS router, r.name AS router_name, toString(s.peer_key) AS peer_key, p.node AS node, p.device AS device,
    multiIf(p.node != '', toString(p.node), p.device != '', toString(p.device), s.peer_type = 3, 'loc-rib', replaceRegexpOne(toString(s.peer_addr), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1')) AS peer,
    s.kind = 'peer_up' AS up, toUnixTimestamp64Micro(s.rx_ts) AS us, s.seq AS seq, s.bmp_session AS bmp_session, s.reason AS reason, s.reason_code AS reason_code,
    s.notification_code AS notification_code, s.notification_subcode AS notification_subcode, s.fsm_event AS fsm_event, s.text AS text,
    s.kind = 'peer_up' AND (b.dumped = 0 OR s.pos < b.dumped OR s.synthetic) AS initial,
    t.nodes AS nodes_of_router
FROM ribscope.session_log AS s FINAL
LEFT JOIN ribscope.fabric_peers AS p ON p.router = s.router AND p.peer_key = s.peer_key
LEFT JOIN (SELECT toString(router) AS router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = s.router
LEFT JOIN (SELECT toString(router) AS router, bmp_session, minIf(pos, kind = 'dump_done' AND peer_key = 0) AS dumped FROM ribscope.session_log GROUP BY router, bmp_session) AS b ON b.router = s.router AND b.bmp_session = s.bmp_session
LEFT JOIN (SELECT toString(router) AS router, countIf(node != '') AS nodes FROM ribscope.fabric_peers GROUP BY router) AS t ON t.router = s.router
WHERE s.peer_key != 0 AND (s.kind = 'peer_up' OR (s.kind = 'peer_down' AND s.counted))
    AND s.rx_ts > {from:DateTime64(6, 'UTC')} - INTERVAL 10 SECOND AND s.rx_ts <= {to:DateTime64(6, 'UTC')}
ORDER BY s.rx_ts, s.router, s.pos
LIMIT {limit:UInt32}
