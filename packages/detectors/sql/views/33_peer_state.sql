-- The BGP sessions that BMP reports: last counted change of each peer. A Peer Down of a peer that was not up never counts.
-- A peer that was up when BMP was lost and is missing in the new dump is down since that dump was done (reconcile).
CREATE OR REPLACE VIEW ribscope.peer_state AS
SELECT
    e.router AS router, e.peer_key AS peer_key, any(e.peer_type) AS peer_type,
    any(e.peer_addr) AS peer_addr, any(e.peer_asn) AS peer_asn, any(e.peer_bgp_id) AS peer_bgp_id, any(e.peer_rd) AS peer_rd,
    argMaxIf(e.local_asn, e.pos, e.kind = 'peer_up') AS local_asn, argMaxIf(e.local_bgp_id, e.pos, e.kind = 'peer_up') AS local_bgp_id,
    argMaxIf(e.sent_capabilities, e.pos, e.kind = 'peer_up') AS sent_capabilities,
    argMaxIf(e.received_capabilities, e.pos, e.kind = 'peer_up') AS received_capabilities,
    argMax(e.kind, e.pos) = 'peer_up' AND argMax(e.pos, e.pos) >= any(m.before) AS up,
    maxIf(e.rx_ts, e.kind = 'peer_up') AS up_at,
    if(argMax(e.kind, e.pos) = 'peer_down' OR argMax(e.pos, e.pos) >= any(m.before), maxIf(e.rx_ts, e.kind = 'peer_down'), any(m.swept_at)) AS down_at,
    argMaxIf(e.reason, e.pos, e.kind = 'peer_down') AS down_reason,
    argMaxIf(e.reason_code, e.pos, e.kind = 'peer_down') AS reason_code,
    argMaxIf(e.notification_code, e.pos, e.kind = 'peer_down') AS notification_code,
    argMaxIf(e.notification_subcode, e.pos, e.kind = 'peer_down') AS notification_subcode,
    argMaxIf(e.fsm_event, e.pos, e.kind = 'peer_down') AS fsm_event,
    argMaxIf(e.text, e.pos, e.kind = 'peer_down') AS down_text,
    any(e.vrf) AS vrf
FROM ribscope.session_log AS e FINAL
LEFT JOIN
(
    SELECT k.router AS router, max(k.before) AS before, argMax(k.rx_ts, k.before) AS swept_at
    FROM ribscope.marks AS k FINAL
    WHERE k.peer_key = 0 AND k.effect = 'sweep'
    GROUP BY k.router
) AS m ON m.router = e.router
WHERE e.peer_key != 0 AND (e.kind = 'peer_up' OR (e.kind = 'peer_down' AND e.counted))
GROUP BY e.router, e.peer_key
