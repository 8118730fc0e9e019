            -- Prefixes of whatever can differ between two instants: a row came in between, or a mark that swept what they belong to.
            SELECT e.addr, e.bits
            FROM ribscope.router_log AS e
            WHERE e.rx_ts > {from:DateTime64(6, 'UTC')} AND e.rx_ts <= {to:DateTime64(6, 'UTC')}
            UNION DISTINCT
            SELECT s.addr, s.bits
            FROM ribscope.rib_state AS s
            WHERE (toString(s.router), s.peer_key) IN (SELECT toString(m.router), m.peer_key FROM ribscope.marks AS m WHERE m.effect = 'sweep' AND m.rx_ts > {from:DateTime64(6, 'UTC')} AND m.rx_ts <= {to:DateTime64(6, 'UTC')})
                OR toString(s.router) IN (SELECT toString(m.router) FROM ribscope.marks AS m WHERE m.effect = 'sweep' AND m.peer_key = 0 AND m.rx_ts > {from:DateTime64(6, 'UTC')} AND m.rx_ts <= {to:DateTime64(6, 'UTC')})
