-- Rows of the event log that a finding names as (router, seq, time).
WITH
-- include: fragments/route_text_with.sql
SELECT
-- include: fragments/route_text.sql
FROM ribscope.route_log AS l FINAL
WHERE (l.router, l.seq, l.rx_ts) IN (
    -- Evidence names routers as fabric.yaml does, the log as the routers do.
    SELECT arrayJoin(arrayDistinct(arrayConcat([a], n.names))), b, c FROM (SELECT a, b, c FROM (SELECT {routers:Array(String)} AS a, {seqs:Array(UInt64)} AS b, {times:Array(DateTime64(6, 'UTC'))} AS c) ARRAY JOIN a, b, c) AS e
    LEFT JOIN (SELECT toString(name) AS name, groupArray(toString(router)) AS names FROM ribscope.fabric_routers WHERE router != '' GROUP BY name) AS n ON n.name = e.a)
    AND l.rx_ts BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')}
ORDER BY rx_ts, router, seq
LIMIT 1000
