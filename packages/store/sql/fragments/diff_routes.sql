            -- The routes themselves: the order of the log knows prefixes, but of all routes of a prefix only these are worked out.
            SELECT cityHash64(toString(e.router), e.peer_key, toInt8(e.rib), e.afi, e.safi, e.addr, e.bits, e.nlri_key, e.path_id)
            FROM ribscope.router_log AS e
            WHERE e.rx_ts > {from:DateTime64(6, 'UTC')} AND e.rx_ts <= {to:DateTime64(6, 'UTC')}
            UNION DISTINCT
            SELECT cityHash64(toString(s.router), s.peer_key, toInt8(s.rib), s.afi, s.safi, s.addr, s.bits, s.nlri_key, s.path_id)
            FROM ribscope.rib_state AS s
            WHERE (toString(s.router), s.peer_key) IN (SELECT toString(m.router), m.peer_key FROM ribscope.marks AS m WHERE m.effect = 'sweep' AND m.rx_ts > {from:DateTime64(6, 'UTC')} AND m.rx_ts <= {to:DateTime64(6, 'UTC')})
                OR toString(s.router) IN (SELECT toString(m.router) FROM ribscope.marks AS m WHERE m.effect = 'sweep' AND m.peer_key = 0 AND m.rx_ts > {from:DateTime64(6, 'UTC')} AND m.rx_ts <= {to:DateTime64(6, 'UTC')})
