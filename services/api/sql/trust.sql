-- Whether what a router shows of a RIB is believed, and the numbers behind it.
SELECT t.router AS router, if(r.name = '', t.router, r.name) AS router_name, t.rib AS rib, t.afi AS afi, t.safi AS safi,
    t.score AS score, t.trust AS trust, arrayMap(x -> splitByString(': ', x)[1], t.reasons) AS rules, t.reasons AS reasons, t.notes AS notes,
    t.peers AS peers, t.announces AS announces, t.withdraws AS withdraws, t.routes AS routes, t.stale_routes AS stale_routes,
    t.expected AS expected, t.counted_routes AS counted_routes, t.counted_at AS counted_at, t.missing AS missing, t.too_many AS too_many,
    t.eor AS eor, t.silent_s AS silent_s, t.interval_s AS interval_s, t.skew_s AS skew_s, t.withdrawn_by_policy AS withdrawn_by_policy,
    t.path_ids_lied AS path_ids_lied, t.damaged_routes AS damaged_routes, t.errors AS errors, t.as_widths_lied AS as_widths_lied, t.since AS since,
    c.rib = t.rib AS canonical
FROM ribscope.view_trust_at(at = {at:DateTime64(6, 'UTC')}) AS t
LEFT JOIN (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = t.router
LEFT JOIN ribscope.canonical_in AS c ON c.router = t.router AND c.afi = t.afi AND c.safi = t.safi
WHERE empty({router:String}) OR t.router = {router:String} OR router_name = {router:String}
ORDER BY router_name, router, afi, safi, rib
