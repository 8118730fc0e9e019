SELECT toString(rd) AS rd, min(vrf) AS vrf
FROM ribscope.t5
GROUP BY rd
ORDER BY rd
