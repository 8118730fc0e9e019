-- Every Type-5 path with every host behind it (gateway address, else what hosts announce on the leaf's VRF
-- sessions, else fabric.yaml's prefix_nodes, else the host route itself) and the
-- verdict on that pair (DETECTORS C.1).
-- A host of another VRF with the same address is no owner: the L2VNIs of fabric.yaml decide, else the L3VNI of the Type-2; a Type-2
-- without L3VNI says nothing of its VRF and is taken.
CREATE OR REPLACE VIEW ribscope.t5_resolved AS
SELECT addr, bits, prefix, rd, vrf, nh, via, nh_kind, gw_ip, has_gw, has_esi, vni, rmac, since, seen_at, evidence, next_host, next_host_src,
    arraySort(arrayDistinct(arrayFlatten(groupArrayIf(w_owners, found)))) AS owners,
    maxIf(w_since, found) AS owner_since, maxIf(w_macs, found) AS owner_macs, maxIf(w_mm_seq, found) AS owner_mm_seq, max(found) AS has_owner,
    any(ead_routes) AS ead,
    multiIf(
        has_esi AND has_gw, 'INVALID_ESI_AND_GW',
        has_esi AND ead = 0, 'ESI_UNRESOLVED',
        has_esi, 'OK_ESI',
        has_gw AND NOT has_owner, 'GW_UNRESOLVED',
        has_gw AND owner_macs > 1, 'GW_AMBIGUOUS',
        has_gw, 'OK_GW_INDEX',
        next_host_src = 'unknown' OR NOT has_owner, 'UNKNOWN_OWNER',
        has(owners, via), 'OK_DIRECT',
        next_host_src = 'self_host', 'HOST_ROUTE_CONFLICT',
        'TROMBONE') AS verdict
FROM
(
    SELECT n.addr AS addr, n.bits AS bits, n.prefix AS prefix, n.rd AS rd, n.vrf AS vrf, n.nh AS nh, n.vgroup AS via, n.nh_kind AS nh_kind, n.gw_ip AS gw_ip,
        n.has_gw AS has_gw, n.has_esi AS has_esi, n.vni AS vni, n.rmac AS rmac, n.since AS since, n.seen_at AS seen_at, n.evidence AS evidence,
        n.next_host AS next_host, n.next_host_src AS next_host_src,
        w.owners AS w_owners, w.since AS w_since, w.macs AS w_macs, w.mm_seq AS w_mm_seq, e.n AS ead_routes,
        toUInt8(notEmpty(w.owners) AND multiIf(
            notEmpty(n.l2vnis), has(n.l2vnis, w.l2vni),
            w.l3vni != 0 AND n.vni != 0, w.l3vni = n.vni,
            1)) AS found
    FROM
    (
        SELECT t.addr AS addr, t.bits AS bits, t.ip_version AS ip_version, t.rd AS rd, t.eth_tag AS eth_tag, t.gw_ip AS gw_ip, t.esi AS esi, t.vni AS vni, t.nh AS nh, t.rmac AS rmac, t.prefix AS prefix, t.has_gw AS has_gw, t.has_esi AS has_esi, t.rts AS rts, t.since AS since, t.seen_at AS seen_at, t.vgroup AS vgroup, t.nh_kind AS nh_kind, t.evidence AS evidence, t.vrf AS vrf, t.l2vnis AS l2vnis,
            multiIf(t.has_gw, 'gw_ip', notEmpty(ce.hops), 'vrf_session', notEmpty(i.hops), 'inventory', t.bits = if(t.ip_version = 4, 32, 128), 'self_host', 'unknown') AS next_host_src,
            arrayJoin(multiIf(t.has_gw, [t.gw_ip], notEmpty(ce.hops), ce.hops, notEmpty(i.hops), i.hops, t.bits = if(t.ip_version = 4, 32, 128), [t.addr], [toIPv6('::')])) AS next_host
        FROM ribscope.t5 AS t
        LEFT JOIN (SELECT addr, bits, vgroup, groupUniqArray(host) AS hops FROM ribscope.ce_paths GROUP BY addr, bits, vgroup) AS ce ON ce.addr = t.addr AND ce.bits = t.bits AND ce.vgroup = t.vgroup
        LEFT JOIN (SELECT addr, bits, groupUniqArray(node_ip) AS hops FROM ribscope.fabric_prefix_nodes GROUP BY addr, bits) AS i ON i.addr = t.addr AND i.bits = t.bits
    ) AS n
    LEFT JOIN ribscope.t2_owner AS w ON w.ip = n.next_host
    LEFT JOIN (SELECT esi, count() AS n FROM ribscope.evpn_live WHERE evpn_type = 1 GROUP BY esi) AS e ON e.esi = n.esi
)
GROUP BY addr, bits, prefix, rd, vrf, nh, via, nh_kind, gw_ip, has_gw, has_esi, vni, rmac, since, seen_at, evidence, next_host, next_host_src
