-- Nothing was stored since the sample of `last`: the sizes are what they were.
INSERT INTO ribscope.table_samples (router, rib, afi, safi, minute, sampled_at, routes, stale, reported, reported_all)
WITH toDateTime64({at:DateTime64(6, 'UTC')}, 6, 'UTC') AS sampled
SELECT t.router, t.rib, t.afi, t.safi, toStartOfMinute(sampled), sampled, t.routes, t.stale, t.reported, t.reported_all
FROM ribscope.table_samples AS t FINAL
WHERE t.minute = toStartOfMinute({last:DateTime64(6, 'UTC')})
