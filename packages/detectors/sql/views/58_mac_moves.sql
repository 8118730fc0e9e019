-- Moves of MAC addresses: each (sequence, VTEP) of a MAC once, at its first sight at any vantage. The first sight is no move.
CREATE OR REPLACE VIEW ribscope.mac_moves AS
SELECT mac, l2vni, nh, mm_seq, has_mm, moved_at, row_number() OVER (PARTITION BY mac, l2vni ORDER BY moved_at, has_mm, mm_seq, nh) > 1 AS is_move,
    if(g.vgroup = '', replaceOne(toString(nh), '::ffff:', ''), g.vgroup) AS vtep
FROM
(
    SELECT t.mac AS mac, t.vni AS l2vni, t.next_hop AS nh, toUInt8(bitTest(t.flags, 5)) AS has_mm, if(has_mm, t.mm_seq, 0) AS mm_seq, min(t.rx_ts) AS moved_at
    FROM ribscope.route_transitions AS t FINAL
    INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
    WHERE t.afi = 25 AND t.safi = 70 AND t.evpn_type = 2 AND t.action = 'announce' AND NOT bitTest(t.flags, 7)
        AND t.next_hop NOT IN (toIPv6('::'), toIPv6('::ffff:0.0.0.0'))
    GROUP BY mac, l2vni, nh, has_mm, mm_seq
) AS m
LEFT JOIN ribscope.fabric_vteps AS g ON g.ip = m.nh
