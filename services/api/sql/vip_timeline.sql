-- Changes of a VIP's links, each once whatever the number of vantages, oldest first.
SELECT rx_ts, vrf, node, tor, class, cause, gshut, phase, w AS weight, router, peer_key, seq,
    toUnixTimestamp64Micro(rx_ts) AS rx_us, toString(pos) AS pos_text
FROM ribscope.edge_transitions
WHERE vip = {prefix:String} AND rx_ts BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')}
    AND ({more:UInt8} = 0 OR (rx_us, pos, vrf, node, tor) > ({rx_us:Int64}, {pos:UInt64}, {vrf:String}, {node:String}, {tor:String}))
ORDER BY rx_us, pos, vrf, node, tor
LIMIT {limit:UInt32}
