-- BGP sessions that BMP reports, with who is at the other end.
SELECT s.router AS router, if(f.router_name = '', s.router, f.router_name) AS router_name, toString(s.peer_key) AS peer_key, s.peer_type AS peer_type,
    replaceOne(toString(s.peer_addr), '::ffff:', '') AS peer_addr, s.peer_asn AS peer_asn, IPv4NumToString(s.peer_bgp_id) AS peer_bgp_id, s.vrf AS vrf,
    f.node AS node, f.device AS device, f.source AS source,
    -- FRR reports its own routes under an all-zero peer, Loc-RIB is one of peer type 3: neither is a BGP session.
    multiIf(s.peer_type = 3, 'loc_rib', s.peer_asn = 0 AND s.peer_bgp_id = 0, 'local', 'bgp') AS kind,
    NOT r.up AS stale,
    if(s.up, 'up', 'down') AS state, if(s.up_at = toDateTime64(0, 6, 'UTC'), NULL, s.up_at) AS up_at, if(s.down_at = toDateTime64(0, 6, 'UTC'), NULL, s.down_at) AS down_at,
    s.down_reason AS down_reason, s.reason_code AS reason_code, s.notification_code AS notification_code, s.notification_subcode AS notification_subcode,
    s.fsm_event AS fsm_event, s.down_text AS down_text, s.local_asn AS local_asn, if(s.local_bgp_id = 0, '', IPv4NumToString(s.local_bgp_id)) AS local_bgp_id,
    s.sent_capabilities AS sent_capabilities, s.received_capabilities AS received_capabilities
FROM ribscope.peer_state AS s
LEFT JOIN ribscope.fabric_peers AS f ON f.router = s.router AND f.peer_key = s.peer_key
LEFT JOIN ribscope.router_state AS r ON r.router = s.router
WHERE (empty({state:String}) OR state = {state:String})
    AND (empty({router:String}) OR s.router = {router:String} OR router_name = {router:String})
    AND (empty({node:String}) OR f.node = {node:String})
    AND (empty({kind:String}) OR kind = {kind:String})
ORDER BY router_name, router, s.peer_addr, s.peer_key
