-- Type-5 paths, each once whatever the number of vantages, with VRF (by L3VNI, else by route target, never by RD) and VTEP group.
CREATE OR REPLACE VIEW ribscope.t5 AS
SELECT e.addr AS addr, e.bits AS bits, e.ip_version AS ip_version, e.rd AS rd, e.eth_tag AS eth_tag, e.gw_ip AS gw_ip, e.esi AS esi, e.vni AS vni, e.next_hop AS nh, e.rmac AS rmac,
    concat(if(e.ip_version = 4, substring(toString(e.addr), 8), toString(e.addr)), '/', toString(e.bits)) AS prefix,
    toUInt8(e.gw_ip NOT IN (toIPv6('::'), toIPv6('::ffff:0.0.0.0'))) AS has_gw,
    toUInt8(e.esi != toFixedString('', 10)) AS has_esi,
    any(e.rts) AS rts, any(e.communities) AS communities, min(e.since) AS since, arraySort(groupUniqArray(e.router_name)) AS seen_at,
    if(any(g.vgroup) = '', replaceOne(toString(e.next_hop), '::ffff:', ''), any(g.vgroup)) AS vgroup, any(g.kind) AS nh_kind, any(g.site) AS nh_site,
    argMin((e.router, e.peer_key, e.seq, e.since), e.router) AS evidence,
    arrayFilter(v -> (v.2 != 0 AND v.2 = e.vni) OR hasAny(v.3, rts), (SELECT groupArray((vrf, l3vni, import_rts, l2vnis)) FROM ribscope.fabric_vrfs)) AS vrfs,
    multiIf(notEmpty(vrfs), vrfs[1].1, e.vni != 0, concat('vni', toString(e.vni)), notEmpty(rts), concat('rt:', rts[1]), 'default') AS vrf,
    if(notEmpty(vrfs), vrfs[1].4, CAST([], 'Array(UInt32)')) AS l2vnis
FROM ribscope.evpn_live AS e
LEFT JOIN ribscope.fabric_vteps AS g ON g.ip = e.next_hop
WHERE e.evpn_type = 5
GROUP BY e.addr, e.bits, e.ip_version, e.rd, e.eth_tag, e.gw_ip, e.esi, e.vni, e.next_hop, e.rmac
