SELECT o.vip AS vip, o.vrf AS vrf, toUnixTimestamp64Micro(o.down_at) AS down_at, if(o.up_at IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(o.up_at))) AS up_at,
    o.node AS node, o.tor AS tor, o.cause AS cause, o.gshut AS gshut, v.service AS service, v.expected_nodes AS expected_nodes
FROM ribscope.vip_outages AS o
LEFT JOIN ribscope.fabric_vips AS v ON v.prefix = o.vip
WHERE o.down_at > {from:DateTime64(6, 'UTC')} OR o.up_at IS NULL
ORDER BY vip, vrf, down_at
