-- Changes of "node N announces VIP V on ToR T" at the ToRs, one row each: see edge_classify for the rules.
CREATE OR REPLACE VIEW ribscope.edge_transitions AS
SELECT vip, vrf, node, tor, rx_ts, pos, router, peer_key, seq, class, cause, gshut, phase, w
FROM ribscope.edge_log FINAL
