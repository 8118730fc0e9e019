-- The BMP session of each router: up or lost, since when; dumped: its first table is complete (dump_done for the whole router).
-- Lost, too, is one that its collector does not say any more to be open (collector-silent).
CREATE OR REPLACE VIEW ribscope.router_state AS
SELECT
    s.router AS router,
    s.up AND q.router = '' AS up,
    if(s.up AND q.router != '', q.last_beat, s.since) AS since,
    if(s.up AND q.router != '', 'collector-silent', toString(s.down_reason)) AS down_reason,
    s.session AS session,
    s.dumped AS dumped,
    s.address AS address,
    s.description AS description,
    s.sessions AS sessions
FROM
(
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
) AS s
LEFT JOIN ribscope.silent_sessions AS q ON q.router = s.router AND q.bmp_session = s.session
