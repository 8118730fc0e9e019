-- Of a route that is announced its last row, and the one with which it came up: levels are sums of ups and downs.
DELETE FROM ribscope.route_transitions
WHERE rx_ts < {horizon:DateTime64(6, 'UTC')} AND cityHash64(router, pos, implied) NOT IN (
    SELECT arrayJoin([last_row, last_up])
    FROM
    (
        SELECT argMax(cityHash64(t.router, t.pos, t.implied), (t.pos, t.implied)) AS last_row,
            argMaxIf(cityHash64(t.router, t.pos, t.implied), (t.pos, t.implied), t.class IN ('NEW', 'WADUP', 'WADIFF')) AS last_up,
            argMax(t.action, (t.pos, t.implied)) AS last_action
        FROM ribscope.route_transitions AS t
        WHERE t.rx_ts < {horizon:DateTime64(6, 'UTC')}
        GROUP BY t.afi, t.safi, t.addr, t.bits, t.router, t.peer_key, t.rib, t.nlri_key, t.path_id
        HAVING last_action = 'announce'
    ))
