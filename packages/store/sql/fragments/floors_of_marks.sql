    -- The highest sweep and stale position of every scope (router, peer, one family of a peer in all its tables, one view of a peer):
    -- one hash table, four look-ups a route.
    (SELECT (arrayPushBack(groupArray(m.h), toUInt64(0)), arrayPushBack(groupArray(m.swept), toUInt64(0)), arrayPushBack(groupArray(m.stale), toUInt64(0)))
     FROM (SELECT cityHash64(toString(router), peer_key, toInt8(rib), afi, safi) AS h, maxIf(before, effect = 'sweep') AS swept, maxIf(before, effect = 'stale') AS stale
