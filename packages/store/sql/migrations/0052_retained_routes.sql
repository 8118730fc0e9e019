-- Working tables of the retention (src/retention.ts), empty in between. retained_routes: the last row of every route of the days
-- that end; the two others take the place of the partition that keeps them.
CREATE TABLE IF NOT EXISTS ribscope.retained_routes
(
-- include: fragments/route_columns.sql
)
ENGINE = ReplacingMergeTree(pos)
ORDER BY (router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id)
