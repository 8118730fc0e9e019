-- Of every link its last row, and the one with which it came up: levels are sums of ups and downs.
DELETE FROM ribscope.edge_log
WHERE rx_ts < {horizon:DateTime64(6, 'UTC')} AND cityHash64(vip, vrf, node, tor, rx_ts, pos) NOT IN (
    SELECT arrayJoin([last_row, last_up])
    FROM
    (
        SELECT argMax(cityHash64(e.vip, e.vrf, e.node, e.tor, e.rx_ts, e.pos), (e.rx_ts, e.pos)) AS last_row,
            argMaxIf(cityHash64(e.vip, e.vrf, e.node, e.tor, e.rx_ts, e.pos), (e.rx_ts, e.pos), e.class NOT IN ('AW', 'AADIFF')) AS last_up
        FROM ribscope.edge_log AS e
        WHERE e.rx_ts < {horizon:DateTime64(6, 'UTC')}
        GROUP BY e.vip, e.vrf, e.node, e.tor
    ))
