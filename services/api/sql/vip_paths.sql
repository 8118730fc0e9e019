-- Paths to a VIP at every router, as its decision process sees them.
SELECT name AS router, role, vrf, via, via_kind, member, excluded_by, local_pref, as_path, med, origin, is_ebgp, if(has_link_bw, link_bw, NULL) AS link_bw, since
FROM ribscope.ecmp_candidates
WHERE vip = {prefix:String}
ORDER BY router, vrf, via
