-- BMP sessions that began or ended between two instants. first: the router was never heard of before.
SELECT toString(s.router) AS router, r.name AS name, s.kind = 'bmp_up' AS up, toUnixTimestamp64Micro(s.rx_ts) AS us, s.seq AS seq, s.bmp_session AS bmp_session, s.reason AS reason,
    f.first_at > {from:DateTime64(6, 'UTC')} AS first
FROM ribscope.session_log AS s FINAL
LEFT JOIN (SELECT toString(router) AS router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = s.router
LEFT JOIN (SELECT toString(router) AS router, minIf(rx_ts, kind = 'bmp_up') AS first_at FROM ribscope.session_log GROUP BY router) AS f ON f.router = s.router
WHERE s.kind IN ('bmp_up', 'bmp_down') AND s.rx_ts > {from:DateTime64(6, 'UTC')} AND s.rx_ts <= {to:DateTime64(6, 'UTC')}
ORDER BY s.rx_ts, s.router, s.pos
LIMIT {limit:UInt32}
