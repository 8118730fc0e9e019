SELECT vip, vrf, node, argMax(cause, ep) AS cause, argMax(flap_scope, (flap_scope = 'node', ep)) AS flap_scope
FROM ribscope.flap_cause(at = {at:DateTime64(6, 'UTC')})
GROUP BY vip, vrf, node
ORDER BY vip, vrf, node
