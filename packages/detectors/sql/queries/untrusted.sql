SELECT h.router AS router, if(r.name = '', h.router, r.name) AS name, h.rib AS rib, h.afi AS afi, h.safi AS safi, toUInt64(h.announces) AS announces, toUInt64(h.withdraws) AS withdraws,
    h.reasons AS reasons, toUnixTimestamp64Micro(h.since) AS since
FROM ribscope.view_health AS h
LEFT JOIN (SELECT router, any(name) AS name FROM ribscope.fabric_routers WHERE router != '' GROUP BY router) AS r ON r.router = h.router
WHERE h.withdraw_only
ORDER BY name, rib, afi, safi
