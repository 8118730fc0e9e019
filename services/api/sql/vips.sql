-- The inventory of VIPs, each with its links (node, ToR) and the findings that are open for it.
SELECT v.prefix AS prefix, v.ip_version AS ip_version, any(v.service) AS service, any(v.cluster) AS cluster, any(v.pair) AS pair, any(v.mode) AS mode,
    any(v.expected_nodes) AS expected_nodes, any(v.source) AS source,
    any(l.links) AS links, any(f.open) AS open_findings
FROM ribscope.fabric_vips AS v
LEFT JOIN
(
    SELECT vip, arraySort(groupArray((vrf, node, tor, up, since, cause, downs))) AS links
    FROM ribscope.edges
    WHERE empty({prefix:String}) OR vip = {prefix:String}
    GROUP BY vip
) AS l ON l.vip = v.prefix
LEFT JOIN
(
    SELECT JSONExtractString(scope, 'vip') AS vip, arraySort(groupArray((id, kind, severity))) AS open
    FROM ribscope.findings
    WHERE status = 'open' AND vip != ''
    GROUP BY vip
) AS f ON f.vip = v.prefix
WHERE empty({prefix:String}) OR v.prefix = {prefix:String}
GROUP BY v.prefix, v.addr, v.bits, v.ip_version
ORDER BY v.ip_version, v.addr, v.bits
