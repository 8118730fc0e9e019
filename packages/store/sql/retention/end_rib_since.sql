-- Of routes that ended before the horizon. Only after OPTIMIZE FINAL, like rib_state.
DELETE FROM ribscope.rib_since
WHERE rx_ts < {horizon:DateTime64(6, 'UTC')} AND (router, pos) NOT IN (SELECT toString(s.router), s.pos FROM ribscope.rib_state AS s WHERE s.rx_ts < {horizon:DateTime64(6, 'UTC')})
