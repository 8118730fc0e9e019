-- Since when routes of these prefixes and routers were as they were at an instant: the last event that was no duplicate.
-- Columns are qualified: an alias of the same name would be taken instead, and no index with it.
SELECT c.router AS router, toString(c.peer_key) AS peer_key, toInt8(c.rib) AS rib_id, c.afi AS afi, c.safi AS safi, toString(c.addr) AS addr, c.bits AS bits,
    hex(c.nlri_key) AS nlri_key, c.path_id AS path_id, max(c.rx_ts) AS since
FROM ribscope.route_class AS c
WHERE (c.addr, c.bits) IN (SELECT a, b FROM (SELECT {addresses:Array(IPv6)} AS a, {lengths:Array(UInt8)} AS b) ARRAY JOIN a, b)
    AND c.router IN {routers:Array(String)} AND c.class NOT IN ('AADUP', 'WWDUP') AND c.rx_ts <= {at:DateTime64(6, 'UTC')}
GROUP BY c.router, c.peer_key, c.rib, c.afi, c.safi, c.addr, c.bits, c.nlri_key, c.path_id
