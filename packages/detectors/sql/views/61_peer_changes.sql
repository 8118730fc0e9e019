-- Ups and downs of BGP sessions as changes of state: a Peer Up of a peer that is up and a Peer Down of one that is not are no rows.
-- A session is known by router, distinguisher, BGP identifier and AS: link-local addresses change, those do not.
CREATE OR REPLACE VIEW ribscope.peer_changes AS
SELECT c.router AS router, p.router_name AS router_name, c.peer_key AS peer_key, p.node AS node, p.device AS device,
    multiIf(p.node != '', p.node, p.device != '', p.device, replaceOne(toString(c.peer_addr), '::ffff:', '')) AS peer,
    c.up AS up, c.rx_ts AS at, c.until AS until, c.pos AS pos, c.seq AS seq, c.reason AS reason, c.reason_code AS reason_code,
    c.notification_code AS notification_code, c.notification_subcode AS notification_subcode, c.fsm_event AS fsm_event, c.text AS text
FROM
(
    SELECT *, leadInFrame(toNullable(rx_ts), 1, NULL) OVER (PARTITION BY router, peer_rd, peer_bgp_id, peer_asn ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until
    FROM
    (
        SELECT router, peer_key, peer_addr, peer_rd, peer_bgp_id, peer_asn, rx_ts, pos, seq, reason, reason_code, notification_code, notification_subcode, fsm_event, text,
            kind = 'peer_up' AS up,
            lagInFrame(toInt8(kind = 'peer_up'), 1, toInt8(-1)) OVER (PARTITION BY router, peer_rd, peer_bgp_id, peer_asn ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before
        FROM ribscope.session_log FINAL
        WHERE peer_key != 0 AND peer_type != 3 AND (kind = 'peer_up' OR (kind = 'peer_down' AND counted))
    )
    WHERE up != before
) AS c
INNER JOIN ribscope.fabric_peers AS p ON p.router = c.router AND p.peer_key = c.peer_key
