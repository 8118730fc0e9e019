-- Penalty of every (VIP, node) at the instant `at`: sum of w * 2^(-age / half life), exact and without recursion (DETECTORS A.5),
-- and the run of flaps it belongs to: the episodes since the penalty last rose from below penalty_close.
CREATE OR REPLACE VIEW ribscope.vip_penalty AS
WITH (SELECT mapFromArrays(groupArray(key), groupArray(value)) FROM ribscope.detector_params) AS param
SELECT x.vip AS vip, x.vrf AS vrf, x.node AS node,
    sumIf(x.flaps, x.run = x.last_run) AS flaps,
    countIf(x.run = x.last_run AND x.flaps > 0) AS episodes,
    minIf(x.first_down_seq.4, x.run = x.last_run AND x.flaps > 0) AS run_started,
    maxIf(x.last_ev, x.flaps > 0) AS last_event,
    arraySort(arrayDistinct(arrayFlatten(groupArrayIf(x.tors_down, x.run = x.last_run)))) AS tors_down,
    toUInt8(maxIf(x.peer_down_seen, x.run = x.last_run)) AS peer_down_seen,
    sum(arraySum(y -> y.2 * exp2(-dateDiff('microsecond', y.1, {at:DateTime64(6, 'UTC')}) / 1e6 / param['half_life_s']), x.canon_evs)) AS penalty,
    if(penalty > param['penalty_close'], param['half_life_s'] * log2(penalty / param['penalty_close']), 0) AS seconds_to_reuse,
    arraySort(groupArrayIf((x.started, x.ended, x.flaps, x.tors_down, x.first_down_seq), x.run = x.last_run AND x.flaps > 0)) AS run_episodes
FROM
(
    SELECT *, max(run) OVER (PARTITION BY vip, vrf, node) AS last_run
    FROM
    (
        SELECT *, sum(before < param['penalty_close'] AND flaps > 0) OVER (PARTITION BY vip, vrf, node ORDER BY ep ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
        FROM
        (
            SELECT e.*, arrayMax(x -> x.1, arrayPushBack(canon_evs, (started, toUInt32(0)))) AS last_ev,
                -- Penalty just before this episode, from the events of those before it.
                ifNull(sum(arraySum(x -> x.2 * exp2(dateDiff('microsecond', t0, x.1) / 1e6 / param['half_life_s']), canon_evs))
                    OVER (PARTITION BY vip, vrf, node ORDER BY ep ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                    * exp2(-dateDiff('microsecond', t0, started) / 1e6 / param['half_life_s']) AS before
            FROM
            (
                SELECT *, min(started) OVER (PARTITION BY vip, vrf, node) AS t0
                FROM ribscope.flap_episodes(at = {at:DateTime64(6, 'UTC')})
                -- Older events weigh nothing, and 2^x must stay below 2^1023.
                WHERE NOT planned AND ended >= {at:DateTime64(6, 'UTC')} - toIntervalSecond(toUInt32(param['half_life_s'] * 200))
            ) AS e
        )
    )
) AS x
GROUP BY x.vip, x.vrf, x.node
HAVING flaps > 0
