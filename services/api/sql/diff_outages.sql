-- Nodes and routers that were down as a whole, from or until some moment between two instants.
SELECT 'node' AS kind, d.node AS name, toUnixTimestamp64Micro(d.down_at) AS down_us, if(d.up_at IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(d.up_at))) AS up_us, d.tors AS reported_by
FROM ribscope.node_downs AS d
WHERE d.down_at <= {to:DateTime64(6, 'UTC')} AND (d.down_at > {from:DateTime64(6, 'UTC')} - INTERVAL 10 SECOND OR (d.up_at > {from:DateTime64(6, 'UTC')} AND d.up_at <= {to:DateTime64(6, 'UTC')}))
UNION ALL
SELECT 'router' AS kind, r.name AS name, toUnixTimestamp64Micro(r.down_at) AS down_us, if(r.up_at IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(r.up_at))) AS up_us, r.reported_by AS reported_by
FROM ribscope.router_downs AS r
WHERE r.down_at <= {to:DateTime64(6, 'UTC')} AND (r.down_at > {from:DateTime64(6, 'UTC')} - INTERVAL 60 SECOND OR (r.up_at > {from:DateTime64(6, 'UTC')} AND r.up_at <= {to:DateTime64(6, 'UTC')}))
