-- Prefixes that fabric.yaml's segments or communities make VIPs.
SELECT DISTINCT replaceOne(toString(t.addr), '::ffff:', '') AS addr, t.bits AS bits, t.ip_version AS ip_version,
    if(hasAny(t.communities, (SELECT groupArray(community) FROM ribscope.fabric_segments WHERE kind = 'community')), 'configured: vip_communities', 'configured: segments.vip') AS source
FROM ribscope.route_transitions AS t
WHERE t.afi IN (1, 2) AND t.safi = 1 AND t.action = 'announce' AND t.bits > 0
    AND (arrayExists(s -> t.addr >= s.1 AND t.addr <= s.2 AND t.bits >= s.3, (SELECT groupArray((lo, hi, bits)) FROM ribscope.fabric_segments WHERE kind = 'vip'))
        OR hasAny(t.communities, (SELECT groupArray(community) FROM ribscope.fabric_segments WHERE kind = 'community')))
ORDER BY addr, bits, source
LIMIT 1 BY addr, bits
