-- The RD makes a Type-5 unique per originator: the same (RD, prefix, tag) must have one next hop at every vantage (C-5).
CREATE OR REPLACE VIEW ribscope.t5_nh_rewrite AS
SELECT rd, addr, bits, any(ip_version) AS ip_version, eth_tag,
    concat(if(ip_version = 4, substring(toString(addr), 8), toString(addr)), '/', toString(bits)) AS prefix,
    arraySort(groupUniqArray((router_name, if(device = '', replaceOne(toString(peer_bgp_id_text), '::ffff:', ''), device), replaceOne(toString(next_hop), '::ffff:', '')))) AS seen,
    uniqExact(next_hop) AS next_hops, max(since) AS since
FROM (SELECT *, IPv4NumToString(peer_id) AS peer_bgp_id_text FROM ribscope.evpn_live WHERE evpn_type = 5)
GROUP BY rd, addr, bits, eth_tag
HAVING next_hops > 1
