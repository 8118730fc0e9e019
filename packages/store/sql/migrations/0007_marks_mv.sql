CREATE MATERIALIZED VIEW IF NOT EXISTS ribscope.marks_mv TO ribscope.marks AS
SELECT
    router, peer_key, e.2 AS rib, e.3 AS afi, e.4 AS safi, e.1 AS effect,
    bmp_session * 4096 + seq AS pos, bmp_session * 4096 + e.5 AS before, rx_ts, e.6 AS cause, inserted_at
FROM ribscope.session_log
ARRAY JOIN effects AS e
