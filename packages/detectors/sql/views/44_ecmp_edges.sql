-- Forwarding edges of every VIP with the fraction that takes each: equal, or by link bandwidth when every member has one (a partial
-- set falls back to equal split).
CREATE OR REPLACE VIEW ribscope.ecmp_edges AS
SELECT vip, vrf, name AS src, role AS src_role, via AS dst, via_kind AS dst_kind, since,
    if(weighted, link_bw, 1) / sum(if(weighted, link_bw, 1)) OVER (PARTITION BY vip, vrf, name) AS frac
FROM
(
    SELECT *, min(has_link_bw AND link_bw > 0) OVER (PARTITION BY vip, vrf, name) AS weighted
    FROM ribscope.ecmp_candidates
    WHERE member
)
