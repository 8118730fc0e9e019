SELECT prefix, vrf, via, toString(rd) AS rd, replaceOne(toString(nh), '::ffff:', '') AS nh, replaceOne(toString(gw_ip), '::ffff:', '') AS gw_ip, has_gw, verdict,
    replaceOne(toString(next_host), '::ffff:', '') AS next_host, next_host_src, owners, has_owner,
    toUnixTimestamp64Micro(since) AS since, if(has_owner, toUnixTimestamp64Micro(owner_since), 0) AS owner_since, owner_mm_seq, seen_at,
    evidence.1 AS e_router, toString(evidence.2) AS e_peer, toUInt64(evidence.3) AS e_seq, toUnixTimestamp64Micro(evidence.4) AS e_at
FROM ribscope.t5_resolved
ORDER BY vrf, prefix, via, rd, nh, gw_ip, next_host
