-- Spans in which a router's BMP session was lost and a neighbour reported its BGP session with it down (within a minute of each other).
CREATE OR REPLACE VIEW ribscope.router_downs AS
SELECT f.router AS router, f.name AS name, f.down_at AS feed_lost_at, least(f.down_at, min(c.at)) AS down_at, f.up_at AS up_at,
    arraySort(groupUniqArray(c.router_name)) AS reported_by
FROM ribscope.feed_losses AS f
INNER JOIN ribscope.peer_changes AS c ON c.device = f.name
WHERE NOT c.up AND c.at BETWEEN f.down_at - INTERVAL 60 SECOND AND least(f.down_at + INTERVAL 60 SECOND, ifNull(f.up_at, toDateTime64('2261-01-01 00:00:00', 6, 'UTC')))
    AND (c.until IS NULL OR c.until >= f.down_at)
GROUP BY f.router, f.name, f.down_at, f.up_at
