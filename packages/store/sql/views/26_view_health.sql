-- What each view (router, rib, family) said since the Peer Ups in force. A view that only withdraws is lying (DETECTORS P1: FRR
-- without soft-reconfiguration inbound) and feeds no detector.
CREATE OR REPLACE VIEW ribscope.view_health AS
WITH (SELECT mapFromArrays(groupArray(key), groupArray(value)) FROM ribscope.detector_params) AS param
SELECT
    router, rib, afi, safi,
    sumIf(a, is_current) AS announces,
    sumIf(w, is_current) AS withdraws,
    sum(a) AS announces_ever,
    toUInt8(announces = 0 AND withdraws >= param['quarantine_withdraws']) AS withdraw_only,
    minIf(first_rx, is_current) AS since,
    if(withdraw_only, ['P1: withdrawals only, no announcement since Peer Up'], CAST([], 'Array(String)')) AS reasons
FROM
(
    SELECT router, rib, afi, safi, sum(announces) AS a, sum(withdraws) AS w, min(first_rx) AS first_rx,
        (bmp_session, peer_epoch) = max((bmp_session, peer_epoch)) OVER (PARTITION BY router, peer_key)
            AND bmp_session = max(bmp_session) OVER (PARTITION BY router) AS is_current
    FROM ribscope.view_counts
    GROUP BY router, rib, afi, safi, peer_key, bmp_session, peer_epoch
)
GROUP BY router, rib, afi, safi
