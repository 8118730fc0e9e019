-- Why a VIP flapped, by what else happened within 10 s of each episode (DETECTORS A.7, first match wins).
CREATE OR REPLACE VIEW ribscope.flap_cause AS
WITH
    episodes AS (SELECT vip, vrf, node, ep, started, flaps, tors_down, planned FROM ribscope.flap_episodes(at = {at:DateTime64(6, 'UTC')}) WHERE flaps > 0),
    downs AS (
        SELECT p.node AS node, p.router_name AS tor, s.rx_ts AS at, s.notification_code AS code, s.notification_subcode AS subcode
        FROM ribscope.session_log AS s FINAL
        INNER JOIN ribscope.fabric_peers AS p ON p.router = s.router AND p.peer_key = s.peer_key
        WHERE s.kind = 'peer_down' AND s.counted AND p.node != ''
    ),
    links AS (
        SELECT vip, vrf, node, uniqExact(tor) AS tors, uniqExact(vip) OVER (PARTITION BY node) AS vips_total, uniqExact(node) OVER (PARTITION BY vip, vrf) AS nodes_total
        FROM ribscope.edge_transitions
        GROUP BY vip, vrf, node
    ),
    features AS (
        SELECT e.vip AS vip, e.vrf AS vrf, e.node AS node, e.ep AS ep, any(e.started) AS started, any(e.flaps) AS flaps, any(e.tors_down) AS tors_down, any(e.planned) AS planned,
            arraySort(groupUniqArrayIf(d.tor, d.tor != '' AND abs(dateDiff('millisecond', d.at, e.started)) <= 10000)) AS pd_tors,
            max(d.tor != '' AND abs(dateDiff('millisecond', d.at, e.started)) <= 10000 AND d.code = 6 AND d.subcode = 10) AS bfd,
            max(d.tor != '' AND abs(dateDiff('millisecond', d.at, e.started)) <= 10000 AND d.code = 6 AND d.subcode IN (2, 3, 4, 6)) AS admin
        FROM episodes AS e
        LEFT JOIN downs AS d ON d.node = e.node
        GROUP BY e.vip, e.vrf, e.node, e.ep
    ),
    together AS (
        SELECT f.vip AS vip, f.vrf AS vrf, f.node AS node, f.ep AS ep,
            uniqExactIf(o.vip, o.node = f.node) AS vips_same_node, uniqExactIf(o.node, o.vip = f.vip AND o.vrf = f.vrf) AS nodes_same_vip
        FROM features AS f
        CROSS JOIN episodes AS o
        WHERE abs(dateDiff('millisecond', o.started, f.started)) <= 10000
        GROUP BY f.vip, f.vrf, f.node, f.ep
    )
SELECT f.vip AS vip, f.vrf AS vrf, f.node AS node, f.ep AS ep, f.started AS started, f.flaps AS flaps, f.tors_down AS tors_down, f.pd_tors AS pd_tors, f.planned AS planned,
    t.vips_same_node AS vips_same_node, l.vips_total AS vips_total, t.nodes_same_vip AS nodes_same_vip, l.nodes_total AS nodes_total,
    if(length(f.tors_down) >= l.tors, 'node', 'link') AS flap_scope,
    multiIf(
        f.planned, 'PLANNED_DRAIN',
        length(f.pd_tors) = 1 AND l.tors > 1, if(f.bfd, 'LINK_BFD_ONE_TOR', 'LINK_ONE_TOR'),
        notEmpty(f.pd_tors) AND f.admin, 'NODE_SPEAKER_ADMIN_RESET',
        notEmpty(f.pd_tors), 'NODE_FLAP',
        l.vips_total >= 2 AND t.vips_same_node >= greatest(2, 0.8 * l.vips_total), 'NODE_SPEAKER_RELOAD',
        l.nodes_total >= 2 AND t.nodes_same_vip >= greatest(2, 0.8 * l.nodes_total), 'SERVICE_WIDE',
        length(f.tors_down) = 1 AND l.tors > 1, 'POLICY_OR_LINK_ONE_TOR',
        'SERVICE_ENDPOINT_ON_NODE') AS cause
FROM features AS f
INNER JOIN together AS t ON t.vip = f.vip AND t.vrf = f.vrf AND t.node = f.node AND t.ep = f.ep
INNER JOIN links AS l ON l.vip = f.vip AND l.vrf = f.vrf AND l.node = f.node
