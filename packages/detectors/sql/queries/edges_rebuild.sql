INSERT INTO ribscope.edge_log_next (vip, vrf, node, tor, rx_ts, pos, router, peer_key, seq, class, cause, gshut, phase, w)
SELECT vip, vrf, node, tor, rx_ts, pos, router, peer_key, seq, class, cause, gshut, phase, w
FROM ribscope.edge_classify
