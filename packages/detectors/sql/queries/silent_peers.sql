-- BGP sessions that are up in the BMP session in force and have said nothing at all since, End-of-RIB included (DETECTORS P13), at
-- routers whose other sessions have. Rows may be there twice: nothing here counts them.
SELECT p.router AS router, p.peer_key AS peer_key
FROM
(
    SELECT s.router AS router, s.peer_key AS peer_key, argMax(s.kind, s.pos) != 'peer_down' AS up, maxIf(s.pos, s.kind = 'peer_up') AS up_pos, maxIf(s.pos, s.kind = 'eor') AS eor_pos,
        argMaxIf(s.synthetic, s.pos, s.kind = 'peer_up') AS synthetic, argMaxIf(s.bmp_session, s.pos, s.kind = 'peer_up') AS bmp_session, argMaxIf(s.peer_epoch, s.pos, s.kind = 'peer_up') AS peer_epoch
    FROM ribscope.session_log AS s
    WHERE s.peer_key != 0 AND s.peer_type != 3 AND NOT (s.peer_asn = 0 AND s.peer_bgp_id = 0) AND (s.kind IN ('peer_up', 'eor') OR (s.kind = 'peer_down' AND s.counted))
    GROUP BY s.router, s.peer_key
) AS p
LEFT JOIN (SELECT DISTINCT router, peer_key, bmp_session, peer_epoch FROM ribscope.view_counts) AS v
    ON v.router = p.router AND v.peer_key = p.peer_key AND v.bmp_session = p.bmp_session AND v.peer_epoch = p.peer_epoch
WHERE p.up AND NOT p.synthetic AND p.eor_pos < p.up_pos AND v.peer_key = 0
    AND (p.router, p.bmp_session) IN (SELECT c.router, max(c.bmp_session) FROM ribscope.view_counts AS c WHERE c.announced GROUP BY c.router)
    AND p.router IN (SELECT router FROM ribscope.router_state WHERE up)
