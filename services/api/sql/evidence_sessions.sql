SELECT *
FROM ribscope.session_events
WHERE (router, seq, rx_ts) IN (SELECT a, b, c FROM (SELECT {routers:Array(String)} AS a, {seqs:Array(UInt64)} AS b, {times:Array(DateTime64(6, 'UTC'))} AS c) ARRAY JOIN a, b, c)
    AND rx_ts BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')}
ORDER BY rx_ts, router, seq
LIMIT 1000
