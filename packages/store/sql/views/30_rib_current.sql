-- What every router has now, as people read it: announced, and not ended by a Peer Down, a reconnection or a timer.
-- since: the last event that was no duplicate; stale: not confirmed since the BMP session was lost; view_trust: see view_health.
CREATE OR REPLACE VIEW ribscope.rib_current AS
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , c.since AS since, l.stale AS stale, if(h.withdraw_only = 1, 'untrusted', 'trusted') AS view_trust
FROM ribscope.rib_live AS l
LEFT JOIN (
    -- since: the last event of the route that was no duplicate of the one before.
    SELECT router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id, max(rx_ts) AS since FROM ribscope.route_class WHERE class NOT IN ('AADUP', 'WWDUP') GROUP BY router, peer_key, rib, afi, safi, addr, bits, nlri_key, path_id
) AS c ON c.router = l.router AND c.peer_key = l.peer_key AND c.rib = l.rib AND c.afi = l.afi AND c.safi = l.safi AND c.addr = l.addr AND c.bits = l.bits AND c.nlri_key = l.nlri_key AND c.path_id = l.path_id
LEFT JOIN ribscope.view_health AS h ON h.router = l.router AND h.rib = l.rib AND h.afi = l.afi AND h.safi = l.safi
