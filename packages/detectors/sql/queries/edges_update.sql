-- Links of VIPs that changed, from the first new event on.
INSERT INTO ribscope.edge_log (vip, vrf, node, tor, rx_ts, pos, router, peer_key, seq, class, cause, gshut, phase, w)
SELECT vip, vrf, node, tor, rx_ts, pos, router, peer_key, seq, class, cause, gshut, phase, w
FROM ribscope.edge_classify
WHERE rx_ts >= {since:DateTime64(6, 'UTC')}
