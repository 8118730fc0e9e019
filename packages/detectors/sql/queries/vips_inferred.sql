-- A host route that two nodes announce, or that a node withdrew or added while its session stayed up. What only one node ever
-- announced, since its session came up, is its loopback.
SELECT replaceOne(toString(t.addr), '::ffff:', '') AS addr, t.bits AS bits, t.ip_version AS ip_version,
    multiIf(uniqExactIf(p.node, t.action = 'announce') >= 2, 'inferred: two nodes announce it',
        countIf(t.class = 'AW' AND t.cause = 'update') > 0, 'inferred: withdrawn while the session stayed up',
        countIf(t.class = 'NEW' AND t.phase = 'live' AND t.rx_ts > s.up_at + INTERVAL 10 SECOND) > 0, 'inferred: added while the session stayed up', '') AS source
FROM ribscope.route_transitions AS t FINAL
INNER JOIN ribscope.fabric_peers AS p ON p.router = t.router AND p.peer_key = t.peer_key
INNER JOIN ribscope.peer_state AS s ON s.router = t.router AND s.peer_key = t.peer_key
INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
WHERE p.node != '' AND t.afi IN (1, 2) AND t.safi = 1 AND t.bits = if(t.ip_version = 4, 32, 128)
GROUP BY t.addr, t.bits, t.ip_version
HAVING source != ''
ORDER BY addr, bits
