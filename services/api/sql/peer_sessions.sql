-- Lives of BGP sessions as BMP told them, newest first.
SELECT toString(s.peer_key) AS peer_key, s.* EXCEPT (peer_key)
FROM ribscope.peer_sessions AS s
WHERE (empty({state:String}) OR s.state = {state:String})
    AND (empty({router:String}) OR s.router = {router:String} OR s.router_name = {router:String})
    AND (empty({node:String}) OR s.node = {node:String})
    AND (empty({kind:String}) OR s.kind = {kind:String})
ORDER BY s.up_at DESC, s.router_name, s.router, s.peer_addr, s.peer_key
