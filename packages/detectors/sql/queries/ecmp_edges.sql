SELECT e.vip AS vip, e.vrf AS vrf, e.src AS src, e.src_role AS src_role, e.dst AS dst, e.dst_kind AS dst_kind, e.frac AS frac, toUnixTimestamp64Micro(e.since) AS since,
    m.changed AS changed
FROM ribscope.ecmp_edges AS e
LEFT JOIN (SELECT vip, vrf, toUnixTimestamp64Micro(max(since)) AS changed FROM ribscope.edges GROUP BY vip, vrf) AS m ON m.vip = e.vip AND m.vrf = e.vrf
ORDER BY vip, vrf, src, dst
