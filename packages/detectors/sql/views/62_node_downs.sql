-- Spans in which no session of a node was up: its last session went down at down_at, the others at most 10 s before.
CREATE OR REPLACE VIEW ribscope.node_downs AS
SELECT node, at AS down_at, up_at, tors, sessions
FROM
(
    SELECT node, at, pos, up, level,
        leadInFrame(toNullable(at), 1, NULL) OVER (PARTITION BY node ORDER BY at, router, pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS up_at,
        arraySort(arrayDistinct(groupArrayIf(router_name, NOT up) OVER near)) AS tors,
        toUInt32(countIf(NOT up) OVER near) AS sessions
    FROM
    (
        SELECT node, router, router_name, at, pos, up, toUnixTimestamp64Micro(at) AS us,
            toInt64(sum(if(up, 1, -1)) OVER (PARTITION BY node ORDER BY at, router, pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS level
        FROM ribscope.peer_changes
        WHERE node != ''
    )
    WINDOW near AS (PARTITION BY node ORDER BY us RANGE BETWEEN 10000000 PRECEDING AND CURRENT ROW)
)
WHERE NOT up AND level = 0
