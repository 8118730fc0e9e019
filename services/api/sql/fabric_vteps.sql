SELECT replaceOne(toString(ip), '::ffff:', '') AS ip, vgroup, router, kind, site, source
FROM ribscope.fabric_vteps
ORDER BY fabric_vteps.ip
