-- Spans in which a router's BMP session was lost. up_at is NULL while it lasts. Losing BMP says nothing about BGP.
-- reason collector-silent: nobody ended it, and its collector does not say any more that it is open (silent_sessions); down_at is
-- its last sign of life, and the row is gone when there is another.
CREATE OR REPLACE VIEW ribscope.feed_losses AS
SELECT s.router AS router, if(r.name = '', s.router, r.name) AS name, s.at AS down_at, s.up_at AS up_at, s.reason AS reason, s.seq AS seq, s.collector AS collector
FROM
(
    SELECT router, down, reason, seq, at, collector,
        leadInFrame(toNullable(at), 1, NULL) OVER (PARTITION BY router ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS up_at
    FROM
    (
        SELECT router, kind = 'bmp_down' AS down, toString(reason) AS reason, seq, rx_ts AS at, pos, toString(collector) AS collector
        FROM ribscope.session_log FINAL
        WHERE kind IN ('bmp_up', 'bmp_down')
        UNION ALL
        -- Behind its bmp_up, before the next session.
        SELECT q.router, 1, 'collector-silent', l.seq, q.last_beat, q.bmp_session * 4096 + 4095, toString(q.collector)
        FROM ribscope.silent_sessions AS q
        INNER JOIN
        (
            SELECT router, bmp_session, min(seq) AS seq
            FROM ribscope.session_log
            WHERE kind IN ('bmp_up', 'bmp_down')
            GROUP BY router, bmp_session
            HAVING max(kind = 'bmp_down') = 0
        ) AS l ON l.router = q.router AND l.bmp_session = q.bmp_session
    )
) AS s
LEFT JOIN (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = s.router
-- A session that went on beside the next one was no loss.
WHERE s.down AND (s.reason != 'collector-silent' OR s.up_at IS NULL OR s.up_at > s.at)
