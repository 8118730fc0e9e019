-- Prefixes of the routes that rib_at.sql shows with the same parameters: reading few columns, so that the other one need not read
-- all columns of all routes.
SELECT DISTINCT toString(k.addr) AS address, k.bits AS length
FROM
(
    SELECT addr, bits
    FROM ribscope.rib_live_at(at = {at:DateTime64(6, 'UTC')})
    WHERE (empty({router:String}) OR router = {router:String} OR router IN (SELECT toString(r.router) FROM ribscope.fabric_routers AS r WHERE r.name = {router:String}))
        AND (empty({rib:String}) OR toString(rib) = {rib:String})
        AND ({afi:UInt16} = 0 OR afi = {afi:UInt16}) AND ({safi:UInt8} = 0 OR safi = {safi:UInt8})
        AND (empty({vrf:String}) OR vrf = {vrf:String})
        AND ({peer_key:UInt64} = 0 OR peer_key = {peer_key:UInt64})
        AND (empty({peer_addr:String}) OR peer_addr = toIPv6OrDefault({peer_addr:String}))
        AND (empty({peer_name:String}) OR (router, peer_key) IN (SELECT toString(p.router), p.peer_key FROM ribscope.fabric_peers AS p WHERE p.node = {peer_name:String} OR p.device = {peer_name:String}))
        AND ({ip_version:UInt8} = 0 OR ip_version = {ip_version:UInt8})
        AND (empty({first:String}) OR (addr BETWEEN toIPv6OrDefault({first:String}) AND toIPv6OrDefault({last:String}) AND bits >= {bits:UInt8}))
        AND (empty({lengths:Array(UInt8)}) OR (addr, bits) IN (SELECT a, b FROM (SELECT {addresses:Array(IPv6)} AS a, {lengths:Array(UInt8)} AS b) ARRAY JOIN a, b))
        AND ({more:UInt8} = 0 OR (addr, bits, afi, safi, router, peer_key, toInt8(rib), nlri_key, path_id)
            > (toIPv6OrDefault({k_addr:String}), {k_bits:UInt8}, {k_afi:UInt16}, {k_safi:UInt8}, {k_router:String}, {k_peer:UInt64}, {k_rib:Int8}, unhex({k_nlri:String}), {k_path:UInt32}))
    ORDER BY addr, bits, afi, safi, router, peer_key, toInt8(rib), nlri_key, path_id
    LIMIT {limit:UInt32}
) AS k
