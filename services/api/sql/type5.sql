-- Type-5 paths with the host behind each and the verdict on it.
SELECT t.vrf AS vrf, t.prefix AS prefix,
    multiIf(bitShiftRight(t.rd, 48) = 0, concat(toString(bitAnd(bitShiftRight(t.rd, 32), 65535)), ':', toString(bitAnd(t.rd, 4294967295))),
        bitShiftRight(t.rd, 48) = 1, concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(t.rd, 16), 4294967295))), ':', toString(bitAnd(t.rd, 65535))),
        bitShiftRight(t.rd, 48) = 2, concat(toString(bitAnd(bitShiftRight(t.rd, 16), 4294967295)), ':', toString(bitAnd(t.rd, 65535))),
        concat('0x', lower(leftPad(hex(t.rd), 16, '0')))) AS rd_text,
    replaceOne(toString(t.nh), '::ffff:', '') AS next_hop, t.via AS via, t.nh_kind AS next_hop_kind,
    if(t.has_gw, replaceOne(toString(t.gw_ip), '::ffff:', ''), '') AS gw_ip, t.vni AS vni,
    if(t.next_host_src = 'unknown', '', replaceOne(toString(t.next_host), '::ffff:', '')) AS next_host, t.next_host_src AS next_host_source,
    t.owners AS owners, if(t.has_owner, t.owner_since, NULL) AS owner_since, t.verdict AS verdict, t.since AS since, t.seen_at AS seen_at
FROM ribscope.t5_resolved AS t
WHERE (empty({vrf:String}) OR t.vrf = {vrf:String})
    AND (empty({verdict:String}) OR t.verdict = {verdict:String})
    AND (empty({prefix:String}) OR t.prefix = {prefix:String})
ORDER BY vrf, t.addr, t.bits, t.rd, t.nh, t.gw_ip, t.vni, t.next_host
