-- Who sees one prefix ('10.10.21.66/32'): every router, in which tables, by which next hops, from which nodes and since when; and
-- which routers do not see it although others of their role do, with the reason as far as it is known.
CREATE OR REPLACE VIEW ribscope.visibility AS
WITH
    toIPv6(concat(if(position({prefix:String}, ':') = 0, '::ffff:', ''), splitByChar('/', {prefix:String})[1])) AS wanted_addr,
    toUInt8(splitByChar('/', {prefix:String})[2]) AS wanted_bits,
-- include: fragments/visibility_paths.sql
            WHERE t.addr = wanted_addr AND t.bits = wanted_bits AND t.ip_version != 0
-- include: fragments/visibility.sql
