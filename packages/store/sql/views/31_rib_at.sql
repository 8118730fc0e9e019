-- What every router had at the instant `at`: rib_current as of then, equal to replaying the log up to it.
CREATE OR REPLACE VIEW ribscope.rib_at AS
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , l.stale AS stale
FROM ribscope.rib_live_at(at = {at:DateTime64(6, 'UTC')}) AS l
