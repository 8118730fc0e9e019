-- Since when each route is as it is: the receive time of its last event that was no duplicate (AADUP, DETECTORS.md A.2).
CREATE OR REPLACE VIEW ribscope.route_since AS
WITH (SELECT max(w.stored_at) FROM ribscope.since_watermark AS w) AS watermark
SELECT toString(b.router) AS router, b.route_hash AS route_hash, b.since AS since
FROM ribscope.rib_since AS b FINAL
WHERE (b.router, b.route_hash) NOT IN (
    SELECT t.router, cityHash64(t.peer_key, t.rib, t.afi, t.safi, t.addr, t.bits, t.nlri_key, t.path_id) FROM ribscope.router_log AS t WHERE t.stored_at >= watermark)
UNION ALL
SELECT t.router AS router, t.route_hash AS route_hash, t.since AS since
FROM ribscope.route_since_tail(upto = toDateTime64('2100-01-01 00:00:00', 3, 'UTC')) AS t
