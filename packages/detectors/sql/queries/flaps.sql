-- Every (VIP, node) with a penalty: what VIP_FLAP needs.
SELECT p.vip AS vip, p.vrf AS vrf, p.node AS node, toUInt32(p.flaps) AS flaps, toUInt32(p.episodes) AS episodes,
    toUnixTimestamp64Micro(p.run_started) AS run_started, toUnixTimestamp64Micro(p.last_event) AS last_event,
    p.tors_down AS tors_down, p.penalty AS penalty, p.seconds_to_reuse AS seconds_to_reuse,
    arrayMap(e -> (toUnixTimestamp64Micro(e.1), toUnixTimestamp64Micro(e.2), toUInt32(e.3), e.4, e.5.1, toString(e.5.2), toUInt64(e.5.3), toUnixTimestamp64Micro(e.5.4)), p.run_episodes) AS run_episodes,
    arraySort(arrayDistinct(arrayMap(s -> s.1, arrayFilter(s -> s.1 != p.node AND s.2 <= p.last_event AND s.3 > p.last_event, n.spans)))) AS others_alive,
    n.known AS n_known, v.expected_nodes AS expected_nodes, v.service AS service, v.mode AS mode
FROM ribscope.vip_penalty(at = {at:DateTime64(6, 'UTC')}) AS p
LEFT JOIN
(
    -- When each node announced the VIP, on any ToR: who was left at the last withdrawal.
    SELECT vip, vrf, arraySort(groupUniqArray(node)) AS known, groupArrayIf((node, rx_ts, until), class != 'AW') AS spans
    FROM
    (
        SELECT vip, vrf, node, class, rx_ts,
            leadInFrame(rx_ts, 1, toDateTime64('2261-01-01 00:00:00', 6, 'UTC')) OVER (PARTITION BY vip, vrf, node, tor ORDER BY rx_ts, pos ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until
        FROM ribscope.edge_transitions
        WHERE class != 'AADIFF'
    )
    GROUP BY vip, vrf
) AS n ON n.vip = p.vip AND n.vrf = p.vrf
LEFT JOIN ribscope.fabric_vips AS v ON v.prefix = p.vip
ORDER BY vip, vrf, node
