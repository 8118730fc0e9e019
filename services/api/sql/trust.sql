-- Whether what a router shows of a RIB is believed.
SELECT h.router AS router, if(r.name = '', h.router, r.name) AS router_name, h.rib AS rib, h.afi AS afi, h.safi AS safi,
    if(h.withdraw_only, 'untrusted', 'trusted') AS trust, h.reasons AS reasons, h.announces AS announces, h.withdraws AS withdraws, h.since AS since,
    c.rib = h.rib AS canonical
FROM ribscope.view_health AS h
LEFT JOIN ribscope.fabric_routers AS r ON r.router = h.router
LEFT JOIN ribscope.canonical_in AS c ON c.router = h.router AND c.afi = h.afi AND c.safi = h.safi
WHERE empty({router:String}) OR h.router = {router:String} OR router_name = {router:String}
ORDER BY router_name, router, afi, safi, rib
