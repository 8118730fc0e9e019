SELECT e.vip AS vip, e.vrf AS vrf, e.src AS src, e.src_role AS src_role, e.dst AS dst, e.dst_kind AS dst_kind, e.frac AS frac, toUnixTimestamp64Micro(e.since) AS since,
    m.changed AS changed
FROM ribscope.ecmp_edges AS e
-- The last time anything about the VIP's members changed, at ToRs or above: paths that are gone count too.
LEFT JOIN
(
    SELECT v.prefix AS vip, toUnixTimestamp64Micro(max(t.rx_ts)) AS changed
    FROM ribscope.route_transitions AS t
    INNER JOIN ribscope.fabric_vips AS v ON v.addr = t.addr AND v.bits = t.bits AND v.ip_version = t.ip_version
    INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
    WHERE t.class IN ('NEW', 'AW', 'WADUP', 'WADIFF')
    GROUP BY v.prefix
) AS m ON m.vip = e.vip
ORDER BY vip, vrf, src, dst
