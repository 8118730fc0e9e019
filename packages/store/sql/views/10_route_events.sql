-- The event log as people read it: one row per NLRI per BMP Route Monitoring message.
CREATE OR REPLACE VIEW ribscope.route_events AS
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
-- FINAL: a row delivered twice counts once, merged or not.
FROM ribscope.route_log AS l FINAL
