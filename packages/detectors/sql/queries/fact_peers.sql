SELECT s.router AS router, toString(s.peer_key) AS peer_key, s.peer_type AS peer_type, replaceOne(toString(s.peer_addr), '::ffff:', '') AS peer_addr, s.peer_asn AS peer_asn,
    IPv4NumToString(s.peer_bgp_id) AS peer_bgp_id, toString(s.peer_rd) AS peer_rd,
    f.passes_on AS passes_on, f.reflects AS reflects, toUInt8(f.unicast > 0) AS unicast, toUInt8(f.evpn > 0) AS evpn
FROM ribscope.peer_state AS s
LEFT JOIN
(
    SELECT router, peer_key, max(passes_on) AS passes_on, max(reflects) AS reflects, sum(unicast) AS unicast, sum(evpn) AS evpn
    FROM ribscope.peer_facts
    GROUP BY router, peer_key
) AS f ON f.router = s.router AND f.peer_key = s.peer_key
ORDER BY router, peer_key
