-- What was stored since the last round. lives: rows that tell of the life of sessions and peers, not of dumps and markers.
SELECT t.changed AS changed, t.changed_rx AS changed_rx, s.session AS session, s.lives AS lives, m.swept_rx AS swept_rx
FROM (SELECT max(inserted_at) AS changed, min(rx_ts) AS changed_rx FROM ribscope.tracked_changes WHERE inserted_at > {changed_after:DateTime64(6, 'UTC')}) AS t
CROSS JOIN (SELECT max(inserted_at) AS session, countIf(kind IN ('bmp_up', 'bmp_down', 'peer_up', 'peer_down') OR (kind = 'dump_done' AND peer_key = 0)) AS lives
    FROM ribscope.session_log WHERE inserted_at > {marked_after:DateTime64(6, 'UTC')}) AS s
CROSS JOIN (SELECT minIf(rx_ts, effect = 'sweep') AS swept_rx FROM ribscope.marks WHERE inserted_at > {marked_after:DateTime64(6, 'UTC')}) AS m
