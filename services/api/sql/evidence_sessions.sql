SELECT *
FROM ribscope.session_events
WHERE (router, seq, rx_ts) IN (
    -- Evidence names routers as fabric.yaml does, the log as the routers do.
    SELECT arrayJoin(arrayDistinct(arrayConcat([a], n.names))), b, c FROM (SELECT a, b, c FROM (SELECT {routers:Array(String)} AS a, {seqs:Array(UInt64)} AS b, {times:Array(DateTime64(6, 'UTC'))} AS c) ARRAY JOIN a, b, c) AS e
    LEFT JOIN (SELECT toString(name) AS name, groupArray(toString(router)) AS names FROM ribscope.fabric_routers WHERE router != '' GROUP BY name) AS n ON n.name = e.a)
    AND rx_ts BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')}
ORDER BY rx_ts, router, seq
LIMIT 1000
