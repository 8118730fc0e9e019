-- Everything that happened to one prefix ('10.0.0.1/32'), implied withdrawals at their moment with their cause, oldest first.
CREATE OR REPLACE VIEW ribscope.route_history AS
WITH
    toIPv6(concat(if(position({prefix:String}, ':') = 0, '::ffff:', ''), splitByChar('/', {prefix:String})[1])) AS wanted_addr,
    toUInt8(splitByChar('/', {prefix:String})[2]) AS wanted_bits,
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
    , l.implied AS implied, l.pos AS pos, l.class AS class, l.cause AS cause
FROM ribscope.route_class AS l
WHERE l.addr = wanted_addr AND l.bits = wanted_bits AND l.ip_version != 0
ORDER BY l.rx_ts, l.router, l.pos, l.implied
