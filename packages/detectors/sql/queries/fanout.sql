SELECT node, tor, vips, toUnixTimestamp64Micro(since) AS since, single_link, sub_kind, down_reason, notification_code, notification_subcode
FROM ribscope.ecmp_fanout
ORDER BY node, tor
