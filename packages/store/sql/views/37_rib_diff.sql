-- What differs between the instants `from` and `to` as people read it: one row per route, with the columns of rib_at (of a removed
-- route as it was at `from`, else as it is at `to`).
--   change      added, removed, changed; flapped: it moved and is as it was
--   attributes  names of those that changed; before: their values at `from`, where they are short
--   cause       update, peer_down, reconcile, gr_expired: of the event (at, class) that made it so
--   downs, ups, shifts, edits: what happened in between, duplicates left out
CREATE OR REPLACE VIEW ribscope.rib_diff AS
WITH
-- include: fragments/route_text_with.sql
    ,
-- include: fragments/vrf_of_route.sql
SELECT
-- include: fragments/route_text.sql
    , vrf_of_route AS vrf_name, l.change AS change, l.attributes AS attributes,
    mapFilter((k, v) -> has(l.attributes, k), map(
        'next_hop', if(bitTest(l.was_flags, 2), replaceOne(toString(l.was_next_hop), '::ffff:', ''), ''),
        'as_path', if(l.was_as_path_sets != '', l.was_as_path_sets, arrayStringConcat(arrayMap(a -> toString(a), l.was_as_path), ' ')),
        'origin', toString(l.was_origin),
        'med', if(bitTest(l.was_flags, 0), toString(l.was_med), ''),
        'local_pref', if(bitTest(l.was_flags, 1), toString(l.was_local_pref), ''),
        'communities', arrayStringConcat(arrayMap(c -> concat(toString(bitShiftRight(c, 16)), ':', toString(bitAnd(c, 65535))), l.was_communities), ' '),
        'gw_ip', replaceOne(toString(l.was_gw_ip), '::ffff:', ''),
        'vni', toString(l.was_vni),
        'mm_seq', if(bitTest(l.was_flags, 5), toString(l.was_mm_seq), ''))) AS before,
    l.event.6 AS cause, l.event.7 AS class, l.event.1 AS at, l.event.3 AS implied,
    l.downs AS downs, l.ups AS ups, l.shifts AS shifts, l.edits AS edits
FROM ribscope.route_diff(from = {from:DateTime64(6, 'UTC')}, to = {to:DateTime64(6, 'UTC')}) AS l
