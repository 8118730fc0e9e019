-- Penalty of every (VIP, node) that flapped, in steps of step_s seconds from `from` to `to`: the curve that ends in vip_penalty(at = to).
-- Which transitions count is judged as known at `to`; each counts from when it happened. At most 5,000 steps.
CREATE OR REPLACE VIEW ribscope.vip_penalty_series AS
WITH
    (SELECT mapFromArrays(groupArray(key), groupArray(value)) FROM ribscope.detector_params) AS param,
    toUnixTimestamp64Micro({from:DateTime64(6, 'UTC')}) AS first,
    toUnixTimestamp64Micro({to:DateTime64(6, 'UTC')}) AS last,
    greatest(toInt64({step_s:UInt32}) * 1000000, intDiv(last - first, 5000) + 1) AS step
SELECT x.vip AS vip, x.vrf AS vrf, x.node AS node, x.at AS at,
    sum(arraySum(y -> if(y.1 <= x.at, y.2 * exp2(-dateDiff('microsecond', y.1, x.at) / 1e6 / param['half_life_s']), 0), x.canon_evs)) AS penalty
FROM
(
    SELECT vip, vrf, node, canon_evs, fromUnixTimestamp64Micro(t, 'UTC') AS at
    FROM
    (
        SELECT vip, vrf, node, canon_evs, sum(flaps) OVER (PARTITION BY vip, vrf, node) AS all_flaps
        FROM ribscope.flap_episodes(at = {to:DateTime64(6, 'UTC')})
        -- Older events weigh nothing.
        WHERE NOT planned AND ended >= {from:DateTime64(6, 'UTC')} - toIntervalSecond(toUInt32(param['half_life_s'] * 200))
    )
    ARRAY JOIN arrayPushBack(range(first, last, step), last) AS t
    WHERE all_flaps > 0
) AS x
GROUP BY x.vip, x.vrf, x.node, x.at
