-- How far each view (router, table, family) can be believed: score 0..100, verdict, and the reasons, each with the number of its rule.
-- Silence is measured against the newest message of any router, so that a store at rest accuses nobody: see view_trust_at.
CREATE OR REPLACE VIEW ribscope.view_trust AS
WITH
    assumeNotNull((SELECT greatest((SELECT max(rx_ts) FROM ribscope.session_log), (SELECT max(rx_ts) FROM ribscope.stats_log), (SELECT max(last_rx) FROM ribscope.view_counts)))) AS clock,
-- include: fragments/view_trust.sql
