-- Type-2 routes with an IP address, each once whatever the number of vantages. Default-gateway addresses own nothing.
CREATE OR REPLACE VIEW ribscope.t2 AS
SELECT e.addr AS ip, e.mac AS mac, e.rd AS rd, e.esi AS esi, e.vni AS l2vni, e.vni2 AS l3vni, e.next_hop AS nh, e.rmac AS rmac,
    toUInt8(bitTest(e.flags, 5)) AS has_mm, if(has_mm, e.mm_seq, 0) AS mm_seq, toUInt8(bitTest(e.flags, 6)) AS sticky,
    if(any(g.vgroup) = '', replaceOne(toString(e.next_hop), '::ffff:', ''), any(g.vgroup)) AS vgroup,
    any(e.rts) AS rts, min(e.since) AS since, groupUniqArray(e.router_name) AS seen_at
FROM ribscope.evpn_live AS e
LEFT JOIN ribscope.fabric_vteps AS g ON g.ip = e.next_hop
WHERE e.evpn_type = 2 AND e.ip_version != 0 AND NOT bitTest(e.flags, 7)
GROUP BY ip, mac, rd, esi, l2vni, l3vni, nh, rmac, has_mm, mm_seq, sticky
