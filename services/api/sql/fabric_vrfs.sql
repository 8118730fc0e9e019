SELECT vrf, l3vni, import_rts, l2vnis, source FROM ribscope.fabric_vrfs ORDER BY vrf
