SELECT count() AS paths FROM ribscope.evpn_state WHERE evpn_type = 5
