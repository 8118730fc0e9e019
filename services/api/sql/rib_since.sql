-- Since when routes of these prefixes are as they are: the last event that was no duplicate.
SELECT router, toString(peer_key) AS peer_key, toInt8(rib) AS rib_id, afi, safi, toString(addr) AS addr, bits, hex(nlri_key) AS nlri_key, path_id,
    max(rx_ts) AS since
FROM ribscope.route_class
WHERE (addr, bits) IN (SELECT a, b FROM (SELECT {addresses:Array(IPv6)} AS a, {lengths:Array(UInt8)} AS b) ARRAY JOIN a, b) AND class NOT IN ('AADUP', 'WWDUP') AND rx_ts <= {at:DateTime64(6, 'UTC')}
GROUP BY router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id
