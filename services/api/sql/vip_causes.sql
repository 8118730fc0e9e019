SELECT cause, count() AS downs
FROM ribscope.edge_transitions
WHERE vip = {prefix:String} AND class = 'AW' AND rx_ts BETWEEN {from:DateTime64(6, 'UTC')} AND {to:DateTime64(6, 'UTC')}
GROUP BY cause
ORDER BY downs DESC, cause
