-- What each view (router, rib, family) said since the Peer Ups in force. A view that only withdraws is lying (DETECTORS P1: FRR
-- without soft-reconfiguration inbound) and feeds no detector.
-- Sets are merged only for who asks for their sizes: whether a view is trusted needs those of views that announced nothing.
CREATE OR REPLACE VIEW ribscope.view_health AS
WITH (SELECT mapFromArrays(groupArray(key), groupArray(value)) FROM ribscope.detector_params) AS param
SELECT
    router, rib, afi, safi,
    sumIf(a, is_current) AS announces,
    sumIf(w, is_current) AS withdraws,
    max(said) AS announced_ever,
    toUInt8(maxIf(said, is_current) = 0 AND sumIf(w_only, is_current) >= param['quarantine_withdraws']) AS withdraw_only,
    minIf(first_rx, is_current) AS since,
    if(withdraw_only, ['P1: withdrawals only, no announcement since Peer Up'], CAST([], 'Array(String)')) AS reasons
FROM
(
    SELECT router, rib, afi, safi, max(announced) AS said,
        groupBitmapMerge(announces) AS a, groupBitmapMerge(withdraws) AS w, groupBitmapMergeIf(withdraws, announced = 0) AS w_only,
        min(first_rx) AS first_rx,
        (bmp_session, peer_epoch) = max((bmp_session, peer_epoch)) OVER (PARTITION BY router, peer_key)
            AND bmp_session = max(bmp_session) OVER (PARTITION BY router) AS is_current
    FROM ribscope.view_counts
    GROUP BY router, rib, afi, safi, peer_key, bmp_session, peer_epoch
)
GROUP BY router, rib, afi, safi
