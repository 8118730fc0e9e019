SELECT vrf, down_at, up_at, seconds, node, tor, cause, gshut
FROM ribscope.vip_outages
WHERE vip = {prefix:String} AND ifNull(up_at, {to:DateTime64(6, 'UTC')}) >= {from:DateTime64(6, 'UTC')} AND down_at <= {to:DateTime64(6, 'UTC')}
ORDER BY down_at DESC, vrf
LIMIT {limit:UInt32}
