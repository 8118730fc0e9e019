-- Sibling ToRs that do not have the same nodes behind a VIP (B-1): sets, not counts. Single-homed nodes do not count.
CREATE OR REPLACE VIEW ribscope.ecmp_sibling_diff AS
SELECT vip, vrf, tor_a, tor_b,
    arraySort(groupUniqArrayIf(node, here_a AND NOT here_b)) AS only_a,
    arraySort(groupUniqArrayIf(node, here_b AND NOT here_a)) AS only_b,
    uniqExactIf(node, here_a) AS count_a, uniqExactIf(node, here_b) AS count_b,
    max(since) AS since
FROM
(
    SELECT e.vip AS vip, e.vrf AS vrf, p.tor_a AS tor_a, p.tor_b AS tor_b, e.node AS node,
        max(e.up AND e.tor = p.tor_a) AS here_a, max(e.up AND e.tor = p.tor_b) AS here_b, max(e.since) AS since
    FROM ribscope.edges AS e
    INNER JOIN
    (
        SELECT a.name AS tor_a, b.name AS tor_b, arrayJoin([a.name, b.name]) AS tor
        FROM ribscope.fabric_routers AS a
        INNER JOIN ribscope.fabric_routers AS b ON a.pair = b.pair
        INNER JOIN ribscope.router_state AS sa ON sa.router = a.router
        INNER JOIN ribscope.router_state AS sb ON sb.router = b.router
        WHERE a.pair != '' AND a.name < b.name AND sa.up AND sb.up AND sa.dumped AND sb.dumped
    ) AS p ON p.tor = e.tor
    INNER JOIN ribscope.fabric_nodes AS n ON n.node = e.node
    INNER JOIN ribscope.fabric_vips AS v ON v.prefix = e.vip
    WHERE has(n.expected_tors, p.tor_a) AND has(n.expected_tors, p.tor_b) AND v.mode != 'active_standby'
    GROUP BY vip, vrf, tor_a, tor_b, node
)
GROUP BY vip, vrf, tor_a, tor_b
HAVING notEmpty(only_a) OR notEmpty(only_b)
