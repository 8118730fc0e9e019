-- What was said about each IP prefix in [from, to), hour by hour, first tables left out. Whole hours, as churn has whole minutes.
CREATE OR REPLACE VIEW ribscope.prefix_churn AS
SELECT
    c.hour AS hour,
    concat(if(max(c.ip_version) = 4, replaceOne(toString(c.addr), '::ffff:', ''), toString(c.addr)), '/', toString(c.bits)) AS prefix,
    toUInt16(intDiv(c.family, 256)) AS afi, toUInt8(c.family % 256) AS safi, c.rib AS rib, c.router AS router,
    uniqExactMerge(c.announces) AS announces, uniqExactMerge(c.withdraws) AS withdraws, announces + withdraws AS changes
FROM ribscope.prefix_churn_hours AS c
WHERE c.hour >= toStartOfHour({from:DateTime64(6, 'UTC')}) AND c.hour < {to:DateTime64(6, 'UTC')}
GROUP BY c.hour, c.addr, c.bits, c.family, c.rib, c.router
