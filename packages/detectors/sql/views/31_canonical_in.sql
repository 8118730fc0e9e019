-- The one Adj-RIB-In view per router and family that detectors read: pre-policy when it is healthy, else post-policy.
CREATE OR REPLACE VIEW ribscope.canonical_in AS
SELECT h.router AS router, h.afi AS afi, h.safi AS safi, argMin(h.rib, toInt8(h.rib)) AS rib
FROM ribscope.view_health AS h
WHERE h.rib IN ('adj_in_pre', 'adj_in_post') AND NOT h.withdraw_only AND h.announced_ever
GROUP BY h.router, h.afi, h.safi
