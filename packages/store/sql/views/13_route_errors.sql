-- What did not decode, with its bytes in hex.
CREATE OR REPLACE VIEW ribscope.route_errors AS
SELECT s.rx_ts AS rx_ts, s.seq AS seq, s.collector AS collector, s.router AS router, replaceRegexpOne(toString(s.router_addr), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1') AS router_addr, s.bmp_session AS bmp_session,
    s.peer_key AS peer_key, replaceRegexpOne(toString(s.peer_addr), '^::ffff:(\\d+\\.\\d+\\.\\d+\\.\\d+)$', '\\1') AS peer_addr, s.stream_offset AS offset, s.code AS code, s.path AS path, s.spec AS spec, s.treatment AS treatment,
    s.text AS text, lower(hex(s.raw)) AS raw
FROM ribscope.error_log AS s FINAL
