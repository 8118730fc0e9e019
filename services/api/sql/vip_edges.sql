SELECT vrf, src, dst, dst_kind, frac
FROM ribscope.ecmp_edges
WHERE vip = {prefix:String}
ORDER BY vrf, src, dst
