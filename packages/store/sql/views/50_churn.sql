-- What each view (router, table, family) said in [from, to), in steps of step_s seconds (whole minutes, counted from the epoch).
-- A step in which nothing came has no row. dumped: announcements of first tables, which are no churn.
-- Whole minutes: the minute of `from` is in it, that of `to` only when `to` lies behind its start.
CREATE OR REPLACE VIEW ribscope.churn AS
WITH toUInt32(greatest(60, intDiv({step_s:UInt32} + 59, 60) * 60)) AS step
SELECT
    x.at AS at, x.router AS router, x.rib AS rib, x.afi AS afi, x.safi AS safi,
    sum(x.a) AS announces, sum(x.w) AS withdraws, sum(x.d) AS dumped,
    announces / step AS announces_per_s, withdraws / step AS withdraws_per_s
FROM
(
    SELECT
        toDateTime(intDiv(toUInt32(c.minute), step) * step, 'UTC') AS at, c.router AS router, c.rib AS rib, c.afi AS afi, c.safi AS safi, c.bmp_session AS bmp_session,
        groupBitmapMerge(c.announces) AS a, groupBitmapMerge(c.withdraws) AS w, groupBitmapMerge(c.dumped) AS d
    FROM ribscope.churn_minutes AS c
    WHERE c.minute >= toStartOfMinute({from:DateTime64(6, 'UTC')}) AND c.minute < {to:DateTime64(6, 'UTC')}
    GROUP BY at, router, rib, afi, safi, bmp_session
) AS x
GROUP BY x.at, x.router, x.rib, x.afi, x.safi
