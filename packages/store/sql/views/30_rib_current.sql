-- What every router has now, as people read it: announced, and not ended by a Peer Down, a reconnection or a timer.
-- since: the last event that was no duplicate; stale: not confirmed since the BMP session was lost; view_trust: see view_health.
CREATE OR REPLACE VIEW ribscope.rib_current AS
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , c.since AS since, l.stale AS stale, if(h.withdraw_only = 1, 'untrusted', 'trusted') AS view_trust
FROM ribscope.rib_live AS l
LEFT JOIN ribscope.route_since AS c ON c.router = l.router AND c.route_hash = cityHash64(l.peer_key, l.rib, l.afi, l.safi, l.addr, l.bits, l.nlri_key, l.path_id)
LEFT JOIN ribscope.view_health AS h ON h.router = l.router AND h.rib = l.rib AND h.afi = l.afi AND h.safi = l.safi
