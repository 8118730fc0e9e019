-- Every path to a VIP at every router, as the decision process of that router would see it (DETECTORS B.3): excluded_by is the
-- first attribute that keeps a path out of the multipath set, '' when it is a member. Who a path leads to comes from the BGP
-- session, not from NEXT_HOP (unnumbered FRR sends none). IGP metric is not in BMP.
CREATE OR REPLACE VIEW ribscope.ecmp_candidates AS
WITH
(SELECT (arrayPushBack(groupArray(rd), toUInt64(0)), arrayPushBack(groupArray(toString(vrf)), '')) FROM ribscope.fabric_rds) AS rds,
ranked AS
(
    SELECT *,
        row_number() OVER w AS rk,
        first_value(lp) OVER w AS b_lp, first_value(pl) OVER w AS b_pl, first_value(origin) OVER w AS b_origin,
        first_value(med_) OVER w AS b_med, first_value(is_ebgp) OVER w AS b_ebgp, first_value(path) OVER w AS b_path
    FROM
    (
        SELECT v.prefix AS vip,
-- include: fragments/vrf_of_t.sql
            AS vrf, t.router AS router, p.router_name AS name, p.router_role AS role,
            multiIf(p.node != '', p.node, p.device != '', p.device, toString(p.peer_addr)) AS via,
            multiIf(p.node != '', 'node', p.device != '', 'device', 'peer') AS via_kind,
            t.since AS since,
            toUInt8(t.peer_asn != s.local_asn) AS is_ebgp,
            if(bitTest(t.flags, 1), t.local_pref, 100) AS lp,
            if(bitTest(t.flags, 3), arraySlice(t.as_path, 2), t.as_path) AS path, length(path) AS pl,
            t.origin AS origin, if(bitTest(t.flags, 0), t.med, 0) AS med_,
            toUInt8(bitTest(t.flags, 8)) AS has_link_bw, t.link_bw AS link_bw
        FROM
        (
            SELECT addr, bits, ip_version, router, peer_key, rib, afi, safi, nlri_key, path_id,
                argMax(action, (pos, implied)) AS action, max(rx_ts) AS since, argMax(peer_asn, (pos, implied)) AS peer_asn, argMax(vrf, (pos, implied)) AS vrf, any(peer_rd) AS peer_rd,
                argMax(flags, (pos, implied)) AS flags, argMax(local_pref, (pos, implied)) AS local_pref, argMax(as_path, (pos, implied)) AS as_path,
                argMax(origin, (pos, implied)) AS origin, argMax(med, (pos, implied)) AS med, argMax(link_bw, (pos, implied)) AS link_bw
            FROM ribscope.route_transitions
            WHERE afi IN (1, 2) AND safi = 1 AND (addr, bits) IN (SELECT addr, bits FROM ribscope.fabric_vips)
            GROUP BY addr, bits, ip_version, router, peer_key, rib, afi, safi, nlri_key, path_id
        ) AS t
        INNER JOIN ribscope.fabric_vips AS v ON v.addr = t.addr AND v.bits = t.bits AND v.ip_version = t.ip_version
        INNER JOIN ribscope.fabric_peers AS p ON p.router = t.router AND p.peer_key = t.peer_key
        INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
        INNER JOIN ribscope.peer_state AS s ON s.router = t.router AND s.peer_key = t.peer_key
        WHERE t.action = 'announce' AND v.mode != 'active_standby'
            -- A path that came back with the router's own AS is no candidate (RFC 4271 section 9.1.2).
            AND NOT has(path, s.local_asn)
        LIMIT 1 BY vip, vrf, router, via
    )
    WINDOW w AS (PARTITION BY router, vrf, vip ORDER BY lp DESC, pl ASC, origin ASC, med_ ASC, is_ebgp DESC, via ASC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT r.router AS router, r.name AS name, r.role AS role, r.vrf AS vrf, r.vip AS vip, r.via AS via, r.via_kind AS via_kind,
    r.link_bw AS link_bw, r.has_link_bw AS has_link_bw, r.is_ebgp AS is_ebgp, r.lp AS local_pref, r.path AS as_path, r.pl AS pl, r.origin AS origin, r.med_ AS med, r.rk AS rk,
    r.since AS since,
    multiIf(r.lp != r.b_lp, 'LOCAL_PREF', r.pl != r.b_pl, 'AS_PATH_LEN', r.origin != r.b_origin, 'ORIGIN',
        r.med_ != r.b_med AND (f.always_compare_med OR arrayElement(r.path, 1) = arrayElement(r.b_path, 1)), 'MED',
        r.is_ebgp != r.b_ebgp, 'EBGP_OVER_IBGP',
        f.policy_known AND NOT f.multipath_relax AND r.path != r.b_path, 'AS_PATH_CONTENT', '') AS excluded_by,
    toUInt8(excluded_by = '') AS eligible,
    row_number() OVER (PARTITION BY r.router, r.vrf, r.vip, eligible ORDER BY r.rk) AS elig_rk,
    toUInt8(eligible AND elig_rk <= if(r.b_ebgp, if(f.max_paths_ebgp = 0, 64, f.max_paths_ebgp), if(f.max_paths_ibgp = 0, 64, f.max_paths_ibgp))) AS member
FROM ranked AS r
LEFT JOIN ribscope.fabric_routers AS f ON f.router = r.router
