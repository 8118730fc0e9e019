-- Below this position a route s is stale: the highest of its four scopes. Needs floors in scope.
    greatest(transform(cityHash64(toString(s.router), toUInt64(0), toInt8(0), toUInt16(0), toUInt8(0)), floors.1, floors.3, toUInt64(0)),
        transform(cityHash64(toString(s.router), s.peer_key, toInt8(0), toUInt16(0), toUInt8(0)), floors.1, floors.3, toUInt64(0)),
        transform(cityHash64(toString(s.router), s.peer_key, toInt8(0), s.afi, s.safi), floors.1, floors.3, toUInt64(0)),
        transform(cityHash64(toString(s.router), s.peer_key, toInt8(s.rib), s.afi, s.safi), floors.1, floors.3, toUInt64(0)))
