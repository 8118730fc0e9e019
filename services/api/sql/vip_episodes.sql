-- Episodes of one VIP, latest first; canon_evs as (time, weight) is what a penalty of another half life is made of.
SELECT vrf, node, ep, started, ended, flaps, tors_down, peer_down_seen, planned,
    arrayMap(x -> (toUnixTimestamp64Micro(x.1), x.2), canon_evs) AS weights
FROM ribscope.flap_episodes(at = {at:DateTime64(6, 'UTC')})
WHERE vip = {prefix:String} AND ended >= {from:DateTime64(6, 'UTC')} AND started <= {to:DateTime64(6, 'UTC')}
ORDER BY started DESC, vrf, node
LIMIT {limit:UInt32}
