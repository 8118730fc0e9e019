-- Spans in which nobody announced a VIP. up_at is NULL while it lasts.
CREATE OR REPLACE VIEW ribscope.vip_outages AS
SELECT vip, vrf, rx_ts AS down_at, until AS up_at, node, tor, cause, gshut, if(up_at IS NULL, NULL, dateDiff('microsecond', down_at, up_at) / 1e6) AS seconds
FROM ribscope.vip_level
WHERE live_links = 0 AND class = 'AW'
