-- Since when routes are as they are now.
SELECT s.router AS router, toString(s.route_hash) AS key_route, s.since AS since
FROM ribscope.route_since AS s
WHERE s.router IN {routers:Array(String)} AND s.route_hash IN {routes:Array(UInt64)}
