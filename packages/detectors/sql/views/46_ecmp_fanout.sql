-- Nodes that announce VIPs on some of their ToRs only (B-2): one row per node and ToR, with the VIPs that are missing there.
CREATE OR REPLACE VIEW ribscope.ecmp_fanout AS
SELECT x.node AS node, x.tor AS tor, arraySort(groupUniqArray(x.vip)) AS vips, max(x.since) AS since,
    toUInt8(max(x.only_link)) AS single_link,
    multiIf(any(s.sessions) = 0, 'NEVER_CONFIGURED', any(s.sessions_up) = 0, 'SESSION_DOWN', any(x.here) > 0, 'SESSION_UP_VIP_MISSING', 'SESSION_UP_ALL_MISSING') AS sub_kind,
    any(s.down_reason) AS down_reason, any(s.notification_code) AS notification_code, any(s.notification_subcode) AS notification_subcode
FROM
(
    SELECT a.node AS node, a.vip AS vip, a.vrf AS vrf, a.tor AS tor, greatest(a.since, e.since) AS since, a.links = 1 AS only_link,
        e.up AS up_here, h.here AS here
    FROM
    (
        SELECT l.node AS node, l.vip AS vip, l.vrf AS vrf, arrayJoin(n.expected_tors) AS tor, l.since AS since, l.links AS links
        FROM
        (
            SELECT e.node AS node, e.vip AS vip, e.vrf AS vrf, max(e.since) AS since, countIf(e.up) AS links
            FROM ribscope.edges AS e
            GROUP BY e.node, e.vip, e.vrf
            HAVING links > 0
        ) AS l
        INNER JOIN ribscope.fabric_nodes AS n ON n.node = l.node
    ) AS a
    LEFT JOIN ribscope.edges AS e ON e.node = a.node AND e.vip = a.vip AND e.vrf = a.vrf AND e.tor = a.tor
    LEFT JOIN (SELECT node, tor, countIf(up) AS here FROM ribscope.edges GROUP BY node, tor) AS h ON h.node = a.node AND h.tor = a.tor
    INNER JOIN ribscope.fabric_vips AS v ON v.prefix = a.vip
    WHERE NOT up_here AND v.mode != 'active_standby'
) AS x
INNER JOIN ribscope.fabric_routers AS r ON r.name = x.tor
INNER JOIN ribscope.router_state AS rs ON rs.router = r.router
LEFT JOIN
(
    SELECT p.node AS node, p.router_name AS tor, count() AS sessions, countIf(s.up) AS sessions_up, max(s.down_at) AS down_at,
        argMax(s.down_reason, s.down_at) AS down_reason, argMax(s.notification_code, s.down_at) AS notification_code, argMax(s.notification_subcode, s.down_at) AS notification_subcode
    FROM ribscope.fabric_peers AS p
    INNER JOIN ribscope.peer_state AS s ON s.router = p.router AND s.peer_key = p.peer_key
    WHERE p.node != ''
    GROUP BY p.node, p.router_name
) AS s ON s.node = x.node AND s.tor = x.tor
-- A ToR whose feed is lost, incomplete or not believed says nothing about what is missing there.
WHERE rs.up AND rs.dumped AND r.router IN (SELECT router FROM ribscope.canonical_in)
GROUP BY x.node, x.tor
