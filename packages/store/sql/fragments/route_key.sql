cityHash64(toString(l.router), l.peer_key, toInt8(l.rib), l.afi, l.safi, l.addr, l.bits, l.nlri_key, l.path_id)
