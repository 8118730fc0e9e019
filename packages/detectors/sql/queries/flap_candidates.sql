-- A cheap look before the penalty is worked out: links with enough settled transitions of late, or some about to be settled.
SELECT max(downs) AS downs, toUnixTimestamp64Micro(max(last)) AS last_down, arraySort(arrayDistinct(arrayFlatten(groupArray(pending)))) AS unsettled
FROM
(
    SELECT vip, vrf, node, tor, countIf(w > 0) AS downs, maxIf(rx_ts, w > 0 AND rx_ts <= {settled:DateTime64(6, 'UTC')}) AS last,
        groupArrayIf(1000)(toUnixTimestamp64Micro(rx_ts), w > 0 AND rx_ts > {settled:DateTime64(6, 'UTC')}) AS pending
    FROM ribscope.edge_transitions
    WHERE rx_ts > {from:DateTime64(6, 'UTC')}
    GROUP BY vip, vrf, node, tor
)
GROUP BY vip, vrf, node
HAVING downs >= {min_flaps:UInt32}
