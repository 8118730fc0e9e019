-- MACs that moved mac_dup_moves times within mac_dup_s before `at` (RFC 7432 section 15.1: 5 in 180 s).
CREATE OR REPLACE VIEW ribscope.mac_dup AS
WITH (SELECT mapFromArrays(groupArray(key), groupArray(value)) FROM ribscope.detector_params) AS param
SELECT arrayStringConcat(arrayMap(i -> lower(hex(substring(mac, i, 1))), range(1, 7)), ':') AS mac_text, l2vni, countIf(is_move) AS moves, arraySort(groupUniqArray(vtep)) AS vteps,
    max(moved_at) AS last_move, min(moved_at) AS since,
    arrayReverseSort(groupArrayIf(moved_at, is_move)) AS times
FROM ribscope.mac_moves
WHERE moved_at > {at:DateTime64(6, 'UTC')} - toIntervalMicrosecond(toInt64(param['mac_dup_s'] * 1000000))
GROUP BY mac, l2vni
HAVING moves >= param['mac_dup_moves']
