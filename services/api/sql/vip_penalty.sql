SELECT vrf, node, flaps, episodes, run_started, last_event, tors_down, peer_down_seen, penalty, seconds_to_reuse
FROM ribscope.vip_penalty(at = {at:DateTime64(6, 'UTC')})
WHERE vip = {prefix:String}
ORDER BY vrf, node
