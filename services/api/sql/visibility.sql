-- Who sees one prefix, and who of those that should does not.
SELECT v.prefix AS prefix, v.vrf AS vrf, v.afi AS afi, v.safi AS safi, v.router AS router, v.router_name AS router_name, v.role AS role, v.sees AS sees, v.rib AS rib, v.how AS how, v.level AS level,
    v.paths AS paths, v.peers AS peers, v.next_hops AS next_hops, v.origin_nodes AS origin_nodes, v.since AS since, v.stale AS stale, v.siblings AS siblings, v.missing AS missing, v.why AS why
FROM ribscope.visibility(prefix = {prefix:String}) AS v
WHERE (empty({vrf:String}) OR v.vrf = {vrf:String}) AND ({missing:UInt8} = 0 OR v.missing)
ORDER BY v.vrf, v.afi, v.safi, v.role, v.router_name, v.router, v.rib
