-- Routes that ended before the horizon. Only after OPTIMIZE FINAL: an older row must not come up where the last one goes.
DELETE FROM ribscope.rib_state
WHERE rx_ts < {horizon:DateTime64(6, 'UTC')}
    AND cityHash64(router, pos) NOT IN (SELECT cityHash64(l.router, l.pos) FROM ribscope.rib_live AS l WHERE l.rx_ts < {horizon:DateTime64(6, 'UTC')})
