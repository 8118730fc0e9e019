-- Which kinds of watched routes changed state since the last round; unknown: of prefixes that are no VIP yet.
SELECT max(inserted_at) AS last, countIf(afi = 25 OR peer_rd != 0) AS evpn, countIf(afi != 25) AS unicast,
    countIf(afi != 25 AND (addr, bits) NOT IN (SELECT addr, bits FROM ribscope.fabric_vips)) AS unknown
FROM ribscope.route_transitions
WHERE inserted_at > {after:DateTime64(6, 'UTC')}
