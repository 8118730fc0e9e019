-- view_trust with the clock of the asker: at = now() while routers are connected, so that one router alone can be silent too.
-- Only what is a matter of time (silence, empty for 60 s) goes by `at`; what the views hold is what they hold now.
CREATE OR REPLACE VIEW ribscope.view_trust_at AS
WITH
    {at:DateTime64(6, 'UTC')} AS clock,
-- include: fragments/view_trust.sql
