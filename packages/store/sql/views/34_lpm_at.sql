-- Longest match: what each view (router, peer, table, family, VRF) would have used at the instant `at`
-- for an address ('10.1.2.3', '2001:db8::1') or a prefix: one row for each path to the longest prefix that the view has.
CREATE OR REPLACE VIEW ribscope.lpm_at AS
WITH
-- include: fragments/route_text_with.sql
    ,
-- include: fragments/vrf_of_route.sql
SELECT
-- include: fragments/route_text.sql
    , l.stale AS stale, vrf_of_route AS vrf_name
FROM
(
    WITH
-- include: fragments/vrf_of_route.sql
    SELECT l.*, max(l.bits) OVER (PARTITION BY l.router, l.peer_key, l.rib, l.afi, l.safi, vrf_of_route) AS longest
    FROM ribscope.rib_live_at(at = {at:DateTime64(6, 'UTC')}) AS l
    -- An EVPN Type-2 route is an IP route when it has an L3VNI.
    WHERE l.ip_version = if(position({address:String}, ':') > 0, 6, 4) AND (l.afi != 25 OR l.evpn_type = 5 OR (l.evpn_type = 2 AND l.vni2 != 0))
        AND (l.addr, l.bits) IN (
-- include: fragments/prefixes_over.sql
        )
) AS l
WHERE l.bits = l.longest
