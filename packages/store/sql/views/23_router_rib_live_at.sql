-- rib_live_at for one router, out of the log in receive order: first where the last row of each route lies, then those rows.
-- router: as in the log, or its name in fabric.yaml.
CREATE OR REPLACE VIEW ribscope.router_rib_live_at AS
WITH
-- include: fragments/floors_of_marks.sql
           FROM ribscope.marks WHERE rx_ts <= {at:DateTime64(6, 'UTC')} GROUP BY h) AS m) AS floors
SELECT
-- include: fragments/live_route_of_s.sql
    toUInt8(s.pos <
-- include: fragments/stale_floor_of_s.sql
    ) AS stale,
-- include: fragments/swept_floor_of_s.sql
        AS swept_floor
FROM
(
    SELECT e.*, e.ip_version AS ip_version, e.seq AS seq, e.phase AS phase, e.rd AS rd, e.next_hop_ll AS next_hop_ll, e.origin AS origin, e.as_path_sets AS as_path_sets,
        e.large_communities AS large_communities, e.cluster_list AS cluster_list, e.evpn_type AS evpn_type, e.esi AS esi, e.eth_tag AS eth_tag, e.mac AS mac, e.gw_ip AS gw_ip,
        e.vni2 AS vni2, e.rmac AS rmac, e.mm_seq AS mm_seq, e.link_bw AS link_bw, e.encap AS encap, e.d_path AS d_path, e.unknown_attrs AS unknown_attrs, e.decode_errors AS decode_errors
    FROM ribscope.router_log AS e
    WHERE e.router IN (SELECT {router:String} UNION ALL SELECT toString(f.router) FROM ribscope.fabric_routers AS f WHERE f.name = {router:String} AND f.router != '') AND e.rx_ts <= {at:DateTime64(6, 'UTC')} AND (e.router, e.pos) IN (
        SELECT o.router, max(o.pos) FROM ribscope.router_log AS o
        WHERE o.router IN (SELECT {router:String} UNION ALL SELECT toString(f.router) FROM ribscope.fabric_routers AS f WHERE f.name = {router:String} AND f.router != '') AND o.rx_ts <= {at:DateTime64(6, 'UTC')}
        GROUP BY o.router, cityHash64(o.peer_key, o.rib, o.afi, o.safi, o.addr, o.bits, o.nlri_key, o.path_id))
    -- A row that was delivered twice is one.
    LIMIT 1 BY e.router, e.pos
) AS s
WHERE s.action = 'announce' AND s.pos >= swept_floor
