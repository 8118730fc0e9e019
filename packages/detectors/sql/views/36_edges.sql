-- The links of every VIP: up or down now, and since when.
CREATE OR REPLACE VIEW ribscope.edges AS
SELECT vip, vrf, node, tor,
    argMax(class, (rx_ts, pos)) != 'AW' AS up,
    maxIf(rx_ts, class != 'AADIFF') AS since,
    argMax(cause, (rx_ts, pos)) AS cause,
    countIf(class = 'AW') AS downs
FROM ribscope.edge_transitions
GROUP BY vip, vrf, node, tor
