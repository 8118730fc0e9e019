-- EVPN routes that are announced now, as learnt (canonical Adj-RIB-In); since: the last change that was no refresh.
-- Routes whose next hop is the router itself or empty are its own originations and compared with nothing.
CREATE OR REPLACE VIEW ribscope.evpn_live AS
SELECT t.router AS router, t.peer_key AS peer_key, t.rib AS rib, t.afi AS afi, t.safi AS safi, t.addr AS addr, t.bits AS bits, t.nlri_key AS nlri_key, t.path_id AS path_id, t.since AS since, t.seq AS seq, t.ip_version AS ip_version, t.evpn_type AS evpn_type, t.rd AS rd, t.eth_tag AS eth_tag, t.mac AS mac, t.esi AS esi, t.next_hop AS next_hop, t.gw_ip AS gw_ip, t.vni AS vni, t.vni2 AS vni2, t.rmac AS rmac, t.mm_seq AS mm_seq, t.flags AS flags, t.ext_communities AS ext_communities, t.originator_id AS originator_id, t.as_path AS as_path, t.communities AS communities,
    p.router_name AS router_name, p.device AS device, p.peer_bgp_id AS peer_id, c.rib AS canonical,
    arrayMap(x -> concat(toString(bitAnd(bitShiftRight(x, 32), 65535)), ':', toString(bitAnd(x, 4294967295))), arrayFilter(x -> bitShiftRight(x, 48) = 2, t.ext_communities)) AS rts2,
    arrayConcat(rts2,
        arrayMap(x -> concat(toString(bitAnd(bitShiftRight(x, 16), 4294967295)), ':', toString(bitAnd(x, 65535))), arrayFilter(x -> bitShiftRight(x, 48) = 514, t.ext_communities)),
        arrayMap(x -> concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(x, 16), 4294967295))), ':', toString(bitAnd(x, 65535))), arrayFilter(x -> bitShiftRight(x, 48) = 258, t.ext_communities))) AS rts
FROM ribscope.evpn_state AS t FINAL
INNER JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi AND c.rib = t.rib
LEFT JOIN ribscope.fabric_peers AS p ON p.router = t.router AND p.peer_key = t.peer_key
WHERE t.action = 'announce' AND t.next_hop NOT IN (toIPv6('::'), toIPv6('::ffff:0.0.0.0'))
