SELECT vip, vrf, tor_a, tor_b, only_a, only_b, toUInt32(count_a) AS count_a, toUInt32(count_b) AS count_b, toUnixTimestamp64Micro(since) AS since
FROM ribscope.ecmp_sibling_diff
ORDER BY vip, vrf, tor_a, tor_b
