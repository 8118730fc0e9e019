    (SELECT (arrayPushBack(groupArray(cityHash64(p.router, p.peer_key)), toUInt64(0)), arrayPushBack(groupArray(toString(p.node)), '')) FROM ribscope.fabric_peers AS p WHERE p.node != '') AS origin_peers,
    (SELECT (arrayPushBack(groupArray(k.key), '-'), arrayPushBack(groupArray(toString(k.node)), '')) FROM ribscope.fabric_node_keys AS k) AS origin_keys,
-- include: fragments/rd_of_route.sql
-- include: fragments/vrf_of_route.sql
