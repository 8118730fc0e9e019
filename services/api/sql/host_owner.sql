-- Where a host is: the winning Type-2 of each L2VNI.
SELECT o.l2vni AS l2vni, o.l3vni AS l3vni,
    arrayStringConcat(arrayMap(i -> lower(hex(substring(o.mac, i, 1))), range(1, 7)), ':') AS mac_text,
    arrayStringConcat(arrayMap(i -> lower(hex(substring(o.esi, i, 1))), range(1, 11)), ':') AS esi_text,
    o.mm_seq AS mm_seq, o.since AS since, o.owners AS owners, o.macs AS macs, o.rts AS rts
FROM ribscope.t2_owner AS o
WHERE o.ip = {ip:IPv6}
ORDER BY o.l2vni
