    -- Text that several columns share; l is a row of route_log's shape. Names of nodes are joined when read.
    (SELECT (groupArray(cityHash64(p.router, p.peer_key)), groupArray(p.node)) FROM ribscope.fabric_peers AS p WHERE p.node != '') AS node_peers,
    (SELECT (groupArray(k.key), groupArray(k.node)) FROM ribscope.fabric_node_keys AS k) AS node_keys,
    if(l.ip_version = 0, '', concat(if(l.ip_version = 4, substring(toString(l.addr), 8), toString(l.addr)), '/', toString(l.bits))) AS prefix_text,
-- include: fragments/rd_of_route.sql
    if((bitTest(l.flags, 21) OR (l.safi IN (76, 128, 129) AND l.ip_version != 0) OR l.evpn_type BETWEEN 1 AND 5), multiIf(bitShiftRight(rd_of_route, 48) = 0, concat(toString(bitAnd(bitShiftRight(rd_of_route, 32), 65535)), ':', toString(bitAnd(rd_of_route, 4294967295))), bitShiftRight(rd_of_route, 48) = 1, concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(rd_of_route, 16), 4294967295))), ':', toString(bitAnd(rd_of_route, 65535))), bitShiftRight(rd_of_route, 48) = 2, concat(toString(bitAnd(bitShiftRight(rd_of_route, 16), 4294967295)), ':', toString(bitAnd(rd_of_route, 65535))), concat('0x', lower(leftPad(hex(rd_of_route), 16, '0')))), '') AS rd_text,
    if(l.evpn_type IN (1, 2, 4, 5) OR (bitTest(l.flags, 20) AND l.evpn_type IN (7, 8)), arrayStringConcat(arrayMap(i -> lower(hex(substring(l.esi, i, 1))), range(1, 11)), ':'), '') AS esi_text,
    if(l.evpn_type = 2, arrayStringConcat(arrayMap(i -> lower(hex(substring(l.mac, i, 1))), range(1, 7)), ':'), '') AS mac_text,
    arrayMap(c -> multiIf(
        bitShiftRight(c, 48) = 2, concat('rt:', concat(toString(bitAnd(bitShiftRight(c, 32), 65535)), ':', toString(bitAnd(c, 4294967295)))), bitShiftRight(c, 48) = 258, concat('rt:', concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(c, 16), 4294967295))), ':', toString(bitAnd(c, 65535)))), bitShiftRight(c, 48) = 514, concat('rt:', concat(toString(bitAnd(bitShiftRight(c, 16), 4294967295)), ':', toString(bitAnd(c, 65535)))),
        bitShiftRight(c, 48) = 3, concat('soo:', concat(toString(bitAnd(bitShiftRight(c, 32), 65535)), ':', toString(bitAnd(c, 4294967295)))), bitShiftRight(c, 48) = 259, concat('soo:', concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(c, 16), 4294967295))), ':', toString(bitAnd(c, 65535)))), bitShiftRight(c, 48) = 515, concat('soo:', concat(toString(bitAnd(bitShiftRight(c, 16), 4294967295)), ':', toString(bitAnd(c, 65535)))),
        bitShiftRight(c, 48) = 1539, concat('rmac:', lower(concat(substring(leftPad(hex(c), 16, '0'), 5, 2), ':', substring(leftPad(hex(c), 16, '0'), 7, 2), ':', substring(leftPad(hex(c), 16, '0'), 9, 2), ':', substring(leftPad(hex(c), 16, '0'), 11, 2), ':', substring(leftPad(hex(c), 16, '0'), 13, 2), ':', substring(leftPad(hex(c), 16, '0'), 15, 2)))),
        bitShiftRight(c, 48) = 1536, concat('mm:', toString(bitAnd(c, 4294967295)), if(bitTest(c, 40), ':sticky', '')),
        bitShiftRight(c, 48) = 1537, concat('esi-label:', toString(bitAnd(bitShiftRight(c, 4), 1048575)), if(bitTest(c, 40), ':single-active', '')),
        bitShiftRight(c, 48) = 1538, concat('es-import:', lower(concat(substring(leftPad(hex(c), 16, '0'), 5, 2), ':', substring(leftPad(hex(c), 16, '0'), 7, 2), ':', substring(leftPad(hex(c), 16, '0'), 9, 2), ':', substring(leftPad(hex(c), 16, '0'), 11, 2), ':', substring(leftPad(hex(c), 16, '0'), 13, 2), ':', substring(leftPad(hex(c), 16, '0'), 15, 2)))),
        bitShiftRight(c, 48) = 780, concat('encap:', toString(bitAnd(c, 65535))),
        bitShiftRight(c, 48) = 781, 'default-gw',
        bitShiftRight(c, 48) IN (4, 16388), concat('link-bw:', toString(bitAnd(bitShiftRight(c, 32), 65535)), ':', toString(toFloat64(reinterpretAsFloat32(toUInt32(bitAnd(c, 4294967295)))))),
        bitShiftRight(c, 48) = 779, concat('color:', toString(bitAnd(c, 4294967295))),
        concat('0x', lower(leftPad(hex(bitShiftRight(c, 48)), 4, '0')), ':', lower(substring(leftPad(hex(c), 16, '0'), 5)))), l.ext_communities) AS ext_text,
    transform(cityHash64(l.router, l.peer_key), arrayPushBack(node_peers.1, toUInt64(0)), arrayPushBack(node_peers.2, ''), '') AS peer_node
