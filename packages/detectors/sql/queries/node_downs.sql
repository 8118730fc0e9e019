SELECT d.node AS node, toUnixTimestamp64Micro(d.down_at) AS down_at, if(d.up_at IS NULL, NULL, toUnixTimestamp64Micro(assumeNotNull(d.up_at))) AS up_at, d.tors AS tors, d.sessions AS sessions,
    v.vips AS vips
FROM ribscope.node_downs AS d
LEFT JOIN (SELECT node, arraySort(groupUniqArray(vip)) AS vips FROM ribscope.edge_transitions GROUP BY node) AS v ON v.node = d.node
WHERE d.down_at > {from:DateTime64(6, 'UTC')} OR d.up_at IS NULL
ORDER BY node, down_at
