-- Where a host is: the winning Type-2 (RFC 7432 section 15: sticky, then highest sequence, a present mobility community before an
-- absent one, then the lowest VTEP address). All VTEP groups on the winner's Ethernet segment own it together.
CREATE OR REPLACE VIEW ribscope.t2_owner AS
SELECT b.ip AS ip, b.l2vni AS l2vni, b.l3vni AS l3vni, b.w.1 AS mac, b.w.2 AS esi, b.w.3 AS mm_seq, b.w.5 AS since, b.w.6 AS rts, b.macs AS macs,
    arraySort(arrayDistinct(arrayConcat([b.w.4], groupUniqArrayIf(t.vgroup, b.w.2 != toFixedString('', 10) AND t.esi = b.w.2), groupUniqArrayIf(a.vgroup, a.vgroup != '')))) AS owners
FROM
(
    SELECT ip, l2vni, max(l3vni) AS l3vni,
        argMin((mac, esi, mm_seq, vgroup, since, rts), (-toInt8(sticky), -toInt8(has_mm), -toInt64(mm_seq), nh)) AS w,
        length(arrayDistinct(arrayMap(x -> x.1, arrayFilter(x -> x.2 = max((sticky, has_mm, mm_seq)), groupArray((mac, (sticky, has_mm, mm_seq))))))) AS macs
    FROM ribscope.t2
    GROUP BY ip, l2vni
) AS b
LEFT JOIN ribscope.t2 AS t ON t.ip = b.ip AND t.l2vni = b.l2vni
LEFT JOIN
(
    SELECT e.esi AS esi, if(g.vgroup = '', replaceOne(toString(e.next_hop), '::ffff:', ''), g.vgroup) AS vgroup
    FROM ribscope.evpn_live AS e
    LEFT JOIN ribscope.fabric_vteps AS g ON g.ip = e.next_hop
    WHERE e.evpn_type = 1 AND e.esi != toFixedString('', 10)
) AS a ON a.esi = b.w.2
GROUP BY b.ip, b.l2vni, b.l3vni, b.w, b.macs
