-- How many (node, ToR) links every VIP had after each change. An outage is 0. Immune to duplicates: it counts states.
CREATE OR REPLACE VIEW ribscope.vip_level AS
SELECT vip, vrf, rx_ts, router, pos, node, tor, class, cause, gshut,
    toInt64(sum(delta) OVER (PARTITION BY vip, vrf ORDER BY rx_ts, router, pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS live_links,
    leadInFrame(toNullable(rx_ts), 1, NULL) OVER (PARTITION BY vip, vrf ORDER BY rx_ts, router, pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until
FROM
(
    SELECT *, if(class = 'AW', -1, 1) AS delta
    FROM ribscope.edge_transitions
    WHERE class != 'AADIFF'
)
