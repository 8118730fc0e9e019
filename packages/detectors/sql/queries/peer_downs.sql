SELECT c.router AS router, c.router_name AS router_name, toString(c.peer_key) AS peer_key, c.node AS node, c.device AS device, c.peer AS peer, toUnixTimestamp64Micro(c.at) AS down_at,
    if(c.until IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(c.until))) AS up_at,
    c.seq AS seq, c.reason AS reason, c.reason_code AS reason_code, c.notification_code AS notification_code, c.notification_subcode AS notification_subcode, c.fsm_event AS fsm_event, c.text AS text,
    v.vips AS vips
FROM ribscope.peer_changes AS c
LEFT JOIN (SELECT node, tor, arraySort(groupUniqArray(vip)) AS vips FROM ribscope.edge_transitions GROUP BY node, tor) AS v ON v.node = c.node AND v.tor = c.router_name
WHERE NOT c.up AND (c.at > {from:DateTime64(6, 'UTC')} OR c.until IS NULL)
ORDER BY router_name, peer, down_at
