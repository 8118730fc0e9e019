-- The BMP session of each router: up or lost, since when; dumped: its first table is complete (dump_done for the whole router).
CREATE OR REPLACE VIEW ribscope.router_state AS
SELECT
    router,
    argMaxIf(kind, pos, kind IN ('bmp_up', 'bmp_down')) = 'bmp_up' AS up,
    maxIf(rx_ts, kind IN ('bmp_up', 'bmp_down')) AS since,
    argMaxIf(reason, pos, kind = 'bmp_down') AS down_reason,
    max(bmp_session) AS session,
    maxIf(pos, kind = 'dump_done' AND peer_key = 0) > maxIf(pos, kind = 'bmp_up') AS dumped,
    argMax(router_addr, pos) AS address,
    argMaxIf(text, pos, kind = 'initiation') AS description,
    uniqExact(bmp_session) AS sessions
FROM ribscope.session_log FINAL
GROUP BY router
