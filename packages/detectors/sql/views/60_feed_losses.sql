-- Spans in which a router's BMP session was lost. up_at is NULL while it lasts. Losing BMP says nothing about BGP.
CREATE OR REPLACE VIEW ribscope.feed_losses AS
SELECT s.router AS router, if(r.name = '', s.router, r.name) AS name, s.down_at AS down_at, s.up_at AS up_at, s.reason AS reason, s.seq AS seq
FROM
(
    SELECT router, kind, reason, seq, rx_ts AS down_at,
        leadInFrame(toNullable(rx_ts), 1, NULL) OVER (PARTITION BY router ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS up_at
    FROM ribscope.session_log FINAL
    WHERE kind IN ('bmp_up', 'bmp_down')
) AS s
LEFT JOIN (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = s.router
WHERE s.kind = 'bmp_down'
