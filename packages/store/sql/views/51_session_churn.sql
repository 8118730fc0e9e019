-- BMP sessions and BGP peers that came and went in [from, to), in steps as churn has them.
CREATE OR REPLACE VIEW ribscope.session_churn AS
WITH toUInt32(greatest(60, intDiv({step_s:UInt32} + 59, 60) * 60)) AS step
SELECT
    toDateTime(intDiv(toUInt32(c.minute), step) * step, 'UTC') AS at, c.router AS router,
    groupBitmapMerge(c.bmp_ups) AS bmp_sessions_up, groupBitmapMerge(c.bmp_downs) AS bmp_sessions_down,
    groupBitmapMerge(c.peer_ups) AS peers_up, groupBitmapMerge(c.peer_downs) AS peers_down
FROM ribscope.session_minutes AS c
WHERE c.minute >= toStartOfMinute({from:DateTime64(6, 'UTC')}) AND c.minute < {to:DateTime64(6, 'UTC')}
GROUP BY at, c.router
