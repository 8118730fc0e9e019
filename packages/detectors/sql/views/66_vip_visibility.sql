-- visibility of every VIP.
CREATE OR REPLACE VIEW ribscope.vip_visibility AS
WITH
-- include: fragments/visibility_paths.sql
            WHERE (t.addr, t.bits) IN (SELECT f.addr, f.bits FROM ribscope.fabric_vips AS f) AND t.ip_version != 0
-- include: fragments/visibility.sql
