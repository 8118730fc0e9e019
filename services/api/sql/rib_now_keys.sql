-- Looking glass: keys of the routes that are announced now and are wanted, in order, from the one after the cursor on. Few columns are
-- read, so that all columns are read of one page only. Empty parameters filter nothing.
WITH
-- include: fragments/lookup_with.sql
SELECT
-- include: fragments/route_key.sql
        AS key_hash, hex(l.nlri_key) AS key_hex, toString(l.addr) AS key_addr, l.bits AS key_bits, l.afi AS afi, l.safi AS safi, toString(l.router) AS router, toInt8(l.rib) AS key_rib, toString(l.peer_key) AS key_peer, l.path_id AS path_id
FROM ribscope.rib_live AS l
WHERE
-- include: fragments/lookup_views.sql
    AND
-- include: fragments/lookup_routes.sql
ORDER BY l.addr, l.bits, l.afi, l.safi, toString(l.router), l.peer_key, toInt8(l.rib), l.nlri_key, l.path_id
LIMIT {limit:UInt32}
