-- Episodes of (VIP, node): transitions with gaps of at most episode_gap_s. Each ToR sees the same flap once more, so that an
-- episode's flaps are the maximum over its ToRs, never the sum; the maximum is also the least state-compressed witness (P6).
-- at: only what is settled then (settle_s old) is classified.
CREATE OR REPLACE VIEW ribscope.flap_episodes AS
WITH (SELECT mapFromArrays(groupArray(key), groupArray(value)) FROM ribscope.detector_params) AS param
SELECT vip, vrf, node, ep,
    min(t0) AS started, max(t1) AS ended,
    max(downs) AS flaps,
    arraySort(groupUniqArrayIf(tor, downs > 0)) AS tors_down,
    toUInt8(max(pd) > 0) AS peer_down_seen,
    -- Of two ToRs that saw the same, the one that saw it first.
    argMax(evs, (weight, downs, -toUnixTimestamp64Micro(first_down.4), tor)) AS canon_evs,
    argMax(first_down, (weight, downs, -toUnixTimestamp64Micro(first_down.4), tor)) AS first_down_seq,
    toUInt8(countIf(downs > 0) > 0 AND minIf(gs, downs > 0) = 1) AS planned
FROM
(
    SELECT vip, vrf, node, ep, tor, toUInt64(countIf(class = 'AW' AND w > 0)) AS downs, countIf(class = 'AW' AND cause = 'peer_down') AS pd,
        arraySort(groupArrayIf((rx_ts, w), w > 0)) AS evs, sum(w) AS weight, min(rx_ts) AS t0, max(rx_ts) AS t1, max(gshut AND class = 'AW') AS gs,
        argMinIf((router, peer_key, seq, rx_ts), (rx_ts, pos), class = 'AW') AS first_down
    FROM
    (
        SELECT *, sum(brk) OVER (PARTITION BY vip, vrf, node ORDER BY rx_ts, tor, pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ep
        FROM
        (
            SELECT *, dateDiff('microsecond', lagInFrame(rx_ts, 1, rx_ts) OVER (PARTITION BY vip, vrf, node ORDER BY rx_ts, tor, pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), rx_ts) > param['episode_gap_s'] * 1000000 AS brk
            FROM ribscope.edge_transitions
            WHERE rx_ts <= {at:DateTime64(6, 'UTC')} - toIntervalMicrosecond(toInt64(param['settle_s'] * 1000000))
        )
    )
    GROUP BY vip, vrf, node, ep, tor
)
GROUP BY vip, vrf, node, ep
