SELECT router, router_name, toString(peer_key) AS peer_key, node, device, peer, toUnixTimestamp64Micro(at) AS down_at, if(until IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(until))) AS up_at,
    seq, reason, reason_code, notification_code, notification_subcode, fsm_event, text
FROM ribscope.peer_changes
WHERE NOT up AND (at > {from:DateTime64(6, 'UTC')} OR until IS NULL)
ORDER BY router_name, peer, down_at
