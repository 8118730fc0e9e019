-- Looking glass: routes of one page, found by rib_now_keys.sql or rib_now_longest.sql, in full and in order of their key.
WITH
-- include: fragments/route_text_with.sql
    ,
-- include: fragments/vrf_of_route.sql
SELECT
-- include: fragments/route_text.sql
    , l.stale AS stale, vrf_of_route AS vrf_name, hex(l.nlri_key) AS key_hex, l.bits AS key_bits, toString(l.addr) AS key_addr, toInt8(l.rib) AS key_rib, toString(l.peer_key) AS key_peer, toString(cityHash64(l.peer_key, l.rib, l.afi, l.safi, l.addr, l.bits, l.nlri_key, l.path_id)) AS key_route
FROM
(
    SELECT l.*
    FROM ribscope.rib_live AS l
    WHERE (l.addr, l.bits) IN (SELECT a, b FROM (SELECT {addresses:Array(IPv6)} AS a, {lengths:Array(UInt8)} AS b) ARRAY JOIN a, b)
        AND has({keys:Array(UInt64)},
-- include: fragments/route_key.sql
        )
) AS l
ORDER BY l.addr, l.bits, l.afi, l.safi, toString(l.router), l.peer_key, toInt8(l.rib), l.nlri_key, l.path_id
