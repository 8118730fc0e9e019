-- Routers that stream BMP or stand in fabric.yaml, with their BMP session and their peers.
SELECT r.name AS name, r.router AS router, r.role AS role, r.role_source AS role_source, r.rack AS rack, r.pair AS pair, r.pair_source AS pair_source, r.site AS site,
    r.asn AS asn, if(r.bgp_id = 0, '', IPv4NumToString(r.bgp_id)) AS bgp_id, r.address AS configured_address,
    if(s.router = '', '', replaceOne(toString(s.address), '::ffff:', '')) AS address, s.description AS description,
    multiIf(s.router = '', 'never_seen', s.up, 'up', 'down') AS state, if(s.router = '', NULL, s.since) AS since, s.down_reason AS down_reason, s.dumped AS dumped,
    s.session AS bmp_session, s.sessions AS sessions, p.n_up AS peers_up, p.n_down AS peers_down
FROM
(
    SELECT * FROM ribscope.fabric_routers
    UNION ALL
    -- The analyst has not met this one yet.
    SELECT router, router AS name, '' AS role, '' AS role_source, '' AS rack, '' AS pair, '' AS pair_source, '' AS site, 0 AS asn, 0 AS bgp_id, '' AS address,
        1 AS multipath_relax, 0 AS max_paths_ebgp, 0 AS max_paths_ibgp, 0 AS always_compare_med, 0 AS policy_known, 0 AS stateful
    FROM ribscope.router_state
    WHERE router NOT IN (SELECT router FROM ribscope.fabric_routers)
) AS r
LEFT JOIN ribscope.router_state AS s ON s.router = r.router AND r.router != ''
LEFT JOIN (SELECT router, countIf(up) AS n_up, countIf(NOT up) AS n_down FROM ribscope.peer_state WHERE peer_type != 3 AND NOT (peer_asn = 0 AND peer_bgp_id = 0) GROUP BY router) AS p ON p.router = r.router AND r.router != ''
WHERE empty({router:String}) OR r.name = {router:String} OR r.router = {router:String}
ORDER BY name, router
