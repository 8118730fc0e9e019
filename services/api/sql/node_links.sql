SELECT vip, vrf, tor, if(up, 'up', 'down') AS state, since, cause, downs
FROM ribscope.edges
WHERE node = {node:String}
ORDER BY vip, vrf, tor
