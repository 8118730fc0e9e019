SELECT f.router AS router, f.name AS name, toUnixTimestamp64Micro(f.down_at) AS down_at, if(f.up_at IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(f.up_at))) AS up_at,
    f.reason AS reason, f.seq AS seq, f.collector AS collector, r.reported_by AS reported_by, if(empty(r.reported_by), NULL, toUnixTimestamp64Micro(r.down_at)) AS router_down_at, v.vips AS vips
FROM ribscope.feed_losses AS f
LEFT JOIN ribscope.router_downs AS r ON r.router = f.router AND r.feed_lost_at = f.down_at
LEFT JOIN (SELECT tor, arraySort(groupUniqArray(vip)) AS vips FROM ribscope.edge_transitions GROUP BY tor) AS v ON v.tor = f.name
WHERE f.down_at > {from:DateTime64(6, 'UTC')} OR f.up_at IS NULL
ORDER BY name, down_at
