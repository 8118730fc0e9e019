-- Current state: the last row of every route, router first. Withdrawals stay as tombstones: without them a late duplicate of
-- an older announcement would rise again. Whether a route is announced now also depends on marks: see the view rib_live.
CREATE TABLE IF NOT EXISTS ribscope.rib_state
(
-- include: fragments/route_columns.sql
)
ENGINE = ReplacingMergeTree(pos)
ORDER BY (router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id)
SETTINGS non_replicated_deduplication_window = 10000
