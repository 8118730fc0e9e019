            -- The address, or prefix, and every prefix that covers it: 33 for IPv4, 129 for IPv6.
            SELECT tupleElement(IPv6CIDRToRange(w.a, toUInt8(n + if(w.v6, 0, 96))), 1), toUInt8(n)
            FROM
            (
                SELECT splitByChar('/', {address:String}) AS parts, position(parts[1], ':') > 0 AS v6, toIPv6(concat(if(v6, '', '::ffff:'), parts[1])) AS a,
                    if(empty(parts[2]), if(v6, 128, 32), least(toUInt8(parts[2]), if(v6, 128, 32))) AS len
            ) AS w
            ARRAY JOIN range(toUInt16(w.len) + 1) AS n
