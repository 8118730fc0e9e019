-- Sizes of tables in [from, to), minute by minute: routes as counted from the state at sampled_at, and what the router said last.
CREATE OR REPLACE VIEW ribscope.table_sizes AS
SELECT
    t.minute AS minute, t.router AS router, t.rib AS rib, t.afi AS afi, t.safi AS safi, t.routes AS routes, t.stale AS stale,
    t.reported AS reported, t.reported_all AS reported_all, t.sampled_at AS sampled_at
FROM ribscope.table_samples AS t FINAL
WHERE t.minute >= toStartOfMinute({from:DateTime64(6, 'UTC')}) AND t.minute < {to:DateTime64(6, 'UTC')}
