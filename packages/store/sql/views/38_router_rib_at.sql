-- rib_at for one router, found faster: router_rib_at(router = 'tor1', at = '...').
CREATE OR REPLACE VIEW ribscope.router_rib_at AS
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , l.stale AS stale
FROM ribscope.router_rib_live_at(router = {router:String}, at = {at:DateTime64(6, 'UTC')}) AS l
