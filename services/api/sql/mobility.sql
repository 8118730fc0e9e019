-- Moves of MAC addresses between VTEPs, newest first.
SELECT arrayStringConcat(arrayMap(i -> lower(hex(substring(m.mac, i, 1))), range(1, 7)), ':') AS mac_text, m.l2vni AS l2vni, m.vtep AS vtep, m.mm_seq AS mm_seq, m.moved_at AS at
FROM ribscope.mac_moves AS m
WHERE m.is_move AND m.moved_at BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')} AND (empty({mac:String}) OR mac_text = {mac:String})
ORDER BY m.moved_at DESC, m.mac, m.l2vni, m.vtep
LIMIT {limit:UInt32}
