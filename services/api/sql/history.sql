-- Everything that happened to one prefix, oldest first, from the row after the cursor on.
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , l.implied AS implied, l.class AS class, l.cause AS cause, toUnixTimestamp64Micro(l.rx_ts) AS key_us, toString(l.pos) AS key_pos, hex(l.nlri_key) AS key_hex, toInt8(l.rib) AS key_rib, toString(l.peer_key) AS key_peer
FROM
(
    SELECT *
    FROM ribscope.route_class AS c
    WHERE c.addr = {addr:IPv6} AND c.bits = {bits:UInt8} AND c.ip_version = {ip_version:UInt8}
        AND (empty({router:String}) OR c.router = {router:String} OR c.router IN (SELECT toString(r.router) FROM ribscope.fabric_routers AS r WHERE r.name = {router:String}))
        AND c.rx_ts BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')}
        AND ({more:UInt8} = 0 OR (toUnixTimestamp64Micro(c.rx_ts), toString(c.router), c.pos, c.implied, c.peer_key, toInt8(c.rib), c.nlri_key, c.path_id)
            > ({k_us:Int64}, {k_router:String}, {k_pos:UInt64}, {k_implied:UInt8}, {k_peer:UInt64}, {k_rib:Int8}, unhex({k_nlri:String}), {k_path:UInt32}))
    ORDER BY c.rx_ts, toString(c.router), c.pos, c.implied, c.peer_key, toInt8(c.rib), c.nlri_key, c.path_id
    LIMIT {limit:UInt32}
) AS l
ORDER BY l.rx_ts, toString(l.router), l.pos, l.implied, l.peer_key, toInt8(l.rib), l.nlri_key, l.path_id
