-- route_events with class and cause of each (DETECTORS.md A.2) and the implied withdrawals.
CREATE OR REPLACE VIEW ribscope.route_event_class AS
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , l.implied AS implied, l.pos AS pos, l.class AS class, l.cause AS cause
FROM ribscope.route_class AS l
