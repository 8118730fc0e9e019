SELECT mac_text AS mac, l2vni, toUInt32(moves) AS moves, vteps, toUnixTimestamp64Micro(since) AS since, toUnixTimestamp64Micro(last_move) AS last_move,
    arrayMap(t -> toUnixTimestamp64Micro(t), times) AS times
FROM ribscope.mac_dup(at = {at:DateTime64(6, 'UTC')})
ORDER BY mac, l2vni
