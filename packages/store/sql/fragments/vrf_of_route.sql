    -- Name of the VRF of a route l, as operators know it: what the router says; of a VPN or EVPN route the VRF that has its L3VNI
    -- or imports its route target (as view t5 has it), never its distinguisher; of a session in a VRF what Type-5 routes with
    -- its distinguisher say, else that distinguisher. '' for EVPN routes that are no IP routes.
    (SELECT (arrayPushBack(groupArray(rd), toUInt64(0)), arrayPushBack(groupArray(toString(vrf)), '')) FROM ribscope.fabric_rds) AS vrf_rds,
    (SELECT groupArray((toString(vrf), l3vni, import_rts)) FROM ribscope.fabric_vrfs) AS vrf_facts,
    arrayMap(c -> if(bitShiftRight(c, 48) = 258, concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(c, 16), 4294967295))), ':', toString(bitAnd(c, 65535))),
            concat(toString(bitAnd(bitShiftRight(c, if(bitShiftRight(c, 48) = 2, 32, 16)), if(bitShiftRight(c, 48) = 2, 65535, 4294967295))), ':', toString(bitAnd(c, if(bitShiftRight(c, 48) = 2, 4294967295, 65535))))),
        arrayFilter(c -> bitShiftRight(c, 48) IN (2, 258, 514), l.ext_communities)) AS vrf_rts,
    multiIf(l.evpn_type = 2, l.vni2, l.evpn_type = 5, l.vni, toUInt32(0)) AS vrf_vni,
    arrayFilter(v -> (v.2 != 0 AND v.2 = vrf_vni) OR hasAny(v.3, vrf_rts), vrf_facts) AS vrf_found,
    multiIf(l.vrf != '', toString(l.vrf),
        l.afi = 25 AND l.evpn_type NOT IN (2, 5), '',
        l.afi = 25 OR l.safi IN (76, 128, 129) OR bitTest(l.flags, 21), multiIf(notEmpty(vrf_found), vrf_found[1].1, vrf_vni != 0, concat('vni', toString(vrf_vni)), l.evpn_type = 2, '', notEmpty(vrf_rts), concat('rt:', vrf_rts[1]), 'default'),
        l.peer_rd = 0, 'default',
        transform(l.peer_rd, vrf_rds.1, vrf_rds.2, '') AS vrf_by_rd != '', vrf_by_rd,
        bitShiftRight(l.peer_rd, 48) = 0, concat('rd:', toString(bitAnd(bitShiftRight(l.peer_rd, 32), 65535)), ':', toString(bitAnd(l.peer_rd, 4294967295))),
        bitShiftRight(l.peer_rd, 48) = 1, concat('rd:', IPv4NumToString(toUInt32(bitAnd(bitShiftRight(l.peer_rd, 16), 4294967295))), ':', toString(bitAnd(l.peer_rd, 65535))),
        concat('rd:', toString(bitAnd(bitShiftRight(l.peer_rd, 16), 4294967295)), ':', toString(bitAnd(l.peer_rd, 65535)))) AS vrf_of_route
