SELECT name, router, role, role_source, rack, pair, pair_source, site, asn, if(bgp_id = 0, '', IPv4NumToString(bgp_id)) AS bgp_id, address,
    multipath_relax, max_paths_ebgp, max_paths_ibgp, always_compare_med, if(policy_known, 'configured', 'assumed') AS policy_source, stateful
FROM ribscope.fabric_routers
ORDER BY name, router
