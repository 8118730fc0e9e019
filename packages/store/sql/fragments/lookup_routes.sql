            -- What the routes say. Empty parameters filter nothing.
            (empty({next_hop:String}) OR (bitTest(l.flags, 2) AND l.next_hop = toIPv6OrDefault({next_hop:String})) OR (l.next_hop_ll != toIPv6('::') AND l.next_hop_ll = toIPv6OrDefault({next_hop:String})))
            AND (empty({as_path:String}) OR match(if(l.as_path_sets != '', l.as_path_sets, arrayStringConcat(arrayMap(a -> toString(a), l.as_path), ' ')), {as_path:String}))
            AND (empty({communities:Array(UInt32)}) OR hasAll(l.communities, {communities:Array(UInt32)}))
            AND (empty({large_communities:Array(String)}) OR hasAll(arrayMap(i -> concat(toString(l.large_communities[3 * i + 1]), ':', toString(l.large_communities[3 * i + 2]), ':', toString(l.large_communities[3 * i + 3])), range(intDiv(length(l.large_communities), 3))), {large_communities:Array(String)}))
            -- Of each extended community that is asked for (ext_of) one of its encodings; some have bits that say nothing.
            AND (empty({ext_of:Array(UInt8)}) OR arrayAll(n -> arrayExists((w, m, v) -> w = n AND arrayExists(c -> bitAnd(c, m) = v, l.ext_communities), {ext_of:Array(UInt8)}, {ext_masks:Array(UInt64)}, {ext_values:Array(UInt64)}), {ext_of:Array(UInt8)}))
            AND (empty({rds:Array(UInt64)}) OR ((bitTest(l.flags, 21) OR (l.safi IN (76, 128, 129) AND l.ip_version != 0) OR l.evpn_type BETWEEN 1 AND 5) AND has({rds:Array(UInt64)}, rd_of_route)) OR (l.peer_rd != 0 AND has({rds:Array(UInt64)}, l.peer_rd)))
            -- As column origin_node is made (route_text.sql).
            AND (empty({origin_node:String}) OR {origin_node:String} = multiIf(
                transform(cityHash64(l.router, l.peer_key), origin_peers.1, origin_peers.2, '') AS origin_by_peer != '' AND l.rib IN ('adj_in_pre', 'adj_in_post'), origin_by_peer,
                transform(concat('id:', IPv4NumToString(l.originator_id)), origin_keys.1, origin_keys.2, '') AS origin_by_id != '', origin_by_id,
                transform(concat('ip:', if(bitTest(l.flags, 2), replaceOne(toString(l.next_hop), '::ffff:', ''), '')), origin_keys.1, origin_keys.2, '') AS origin_by_hop != '', origin_by_hop,
                transform(concat('ip:', replaceOne(toString(l.gw_ip), '::ffff:', '')), origin_keys.1, origin_keys.2, '') AS origin_by_gateway != '', origin_by_gateway,
                transform(concat('as:', toString(l.as_path[-1])), origin_keys.1, origin_keys.2, '')))
            AND ({more:UInt8} = 0 OR (l.addr, l.bits, l.afi, l.safi, toString(l.router), l.peer_key, toInt8(l.rib), l.nlri_key, l.path_id)
                > (toIPv6OrDefault({k_addr:String}), {k_bits:UInt8}, {k_afi:UInt16}, {k_safi:UInt8}, {k_router:String}, {k_peer:UInt64}, {k_rib:Int8}, unhex({k_nlri:String}), {k_path:UInt32}))
