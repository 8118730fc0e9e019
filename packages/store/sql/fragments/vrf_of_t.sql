    -- Name of the VRF of a row t: as the router says it, else default for the global instance, else what Type-5 routes with its
    -- distinguisher say, else the distinguisher. Needs rds in scope.
    multiIf(t.vrf != '', toString(t.vrf), t.peer_rd = 0, 'default',
        transform(t.peer_rd, rds.1, rds.2, '') AS rd_vrf != '', rd_vrf,
        bitShiftRight(t.peer_rd, 48) = 0, concat('rd:', toString(bitAnd(bitShiftRight(t.peer_rd, 32), 65535)), ':', toString(bitAnd(t.peer_rd, 4294967295))),
        bitShiftRight(t.peer_rd, 48) = 1, concat('rd:', IPv4NumToString(toUInt32(bitAnd(bitShiftRight(t.peer_rd, 16), 4294967295))), ':', toString(bitAnd(t.peer_rd, 65535))),
        concat('rd:', toString(bitAnd(bitShiftRight(t.peer_rd, 16), 4294967295)), ':', toString(bitAnd(t.peer_rd, 65535))))
