-- Of BMP sessions before a router's last one. What writers have shown is shown again within minutes.
DELETE FROM ribscope.beats
WHERE (router = '' AND inserted_at < {shown:DateTime64(6, 'UTC')})
    OR (inserted_at < {horizon:DateTime64(6, 'UTC')}
        AND (router, bmp_session) NOT IN (SELECT b.router, max(b.bmp_session) FROM ribscope.beats AS b WHERE b.router != '' GROUP BY b.router))
