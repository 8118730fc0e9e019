-- What hosts announce on the VRF sessions of a leaf (BMP peers with a distinguisher): which host stands behind a prefix that the
-- leaf originates as Type-5.
CREATE OR REPLACE VIEW ribscope.ce_paths AS
SELECT p.router_name AS router, if(g.vgroup = '', p.router_name, g.vgroup) AS vgroup, t.addr AS addr, t.bits AS bits, t.ip_version AS ip_version,
    if(bitTest(t.flags, 2), t.next_hop, t.peer_addr) AS host, t.since AS since
FROM
(
    SELECT router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id, any(ip_version) AS ip_version, any(peer_addr) AS peer_addr,
        argMax(action, (pos, implied)) AS action, argMax(next_hop, (pos, implied)) AS next_hop, argMax(flags, (pos, implied)) AS flags, max(rx_ts) AS since
    FROM ribscope.route_transitions
    WHERE afi IN (1, 2) AND safi = 1 AND peer_rd != 0
    GROUP BY router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id
) AS t
INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
INNER JOIN ribscope.fabric_peers AS p ON p.router = t.router AND p.peer_key = t.peer_key
LEFT JOIN (SELECT router, any(vgroup) AS vgroup FROM ribscope.fabric_vteps WHERE router != '' GROUP BY router) AS g ON g.router = p.router_name
WHERE t.action = 'announce'
