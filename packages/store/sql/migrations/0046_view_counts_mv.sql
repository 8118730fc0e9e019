CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.view_counts_mv TO ribscope.view_counts AS
SELECT
    router, rib, afi, safi, peer_key, bmp_session, peer_epoch,
    max(action = 'announce') AS announced,
    groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'announce') AS announces, groupBitmapStateIf(toUInt64(pos - bmp_session * 4096), action = 'withdraw') AS withdraws,
    min(rx_ts) AS first_rx, max(rx_ts) AS last_rx
FROM ribscope.route_log
GROUP BY router, rib, afi, safi, peer_key, bmp_session, peer_epoch
