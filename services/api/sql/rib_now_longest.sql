-- Longest match: of the routes that are announced now and cover a prefix, keys of those that each view (router, peer, table,
-- family, VRF) would use. What routes say (next hop, path, communities) is asked of the longest ones, as a router would.
-- An EVPN Type-2 route is an IP route when it has an L3VNI.
WITH
-- include: fragments/lookup_with.sql
SELECT
-- include: fragments/route_key.sql
        AS key_hash, hex(l.nlri_key) AS key_hex, toString(l.addr) AS key_addr, l.bits AS key_bits, l.afi AS afi, l.safi AS safi, toString(l.router) AS router, toInt8(l.rib) AS key_rib, toString(l.peer_key) AS key_peer, l.path_id AS path_id
FROM
(
    WITH
-- include: fragments/vrf_of_route.sql
    SELECT l.*, max(l.bits) OVER (PARTITION BY l.router, l.peer_key, l.rib, l.afi, l.safi, vrf_of_route) AS longest
    FROM ribscope.rib_live AS l
    WHERE (l.afi != 25 OR l.evpn_type = 5 OR (l.evpn_type = 2 AND l.vni2 != 0)) AND
-- include: fragments/lookup_views.sql
) AS l
WHERE l.bits = l.longest AND
-- include: fragments/lookup_routes.sql
ORDER BY l.addr, l.bits, l.afi, l.safi, toString(l.router), l.peer_key, toInt8(l.rib), l.nlri_key, l.path_id
LIMIT {limit:UInt32}
