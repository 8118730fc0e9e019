-- Of BMP sessions before a router's last one.
DELETE FROM ribscope.session_log
WHERE rx_ts < {horizon:DateTime64(6, 'UTC')}
    AND (router, bmp_session) NOT IN (SELECT s.router, max(s.bmp_session) FROM ribscope.session_log AS s GROUP BY s.router)
