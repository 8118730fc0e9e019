-- Findings, last state of each, newest first. Empty parameters filter nothing. A router is found as router, ToR or one of tors[];
-- a site by its own scope or by the site of the node or router in it.
SELECT id, kind, sub_kind, cause, severity, confidence, status, first_seen, last_seen, resolved_at, scope, metrics, explanation,
    evidence, limits, incident_id, reopened, changes, toUnixTimestamp64Micro(first_seen) AS first_us
FROM ribscope.findings
WHERE (empty({id:String}) OR id = {id:String})
    AND (empty({kind:Array(String)}) OR has({kind:Array(String)}, kind))
    AND (empty({severity:Array(String)}) OR has({severity:Array(String)}, severity))
    AND (empty({status:Array(String)}) OR has({status:Array(String)}, status))
    AND (empty({incident:String}) OR incident_id = {incident:String})
    AND (empty({vip:String}) OR {vip:String} IN (JSONExtractString(scope, 'vip'), JSONExtractString(scope, 'prefix')))
    AND (empty({node:String}) OR JSONExtractString(scope, 'node') = {node:String})
    AND (empty({vrf:String}) OR JSONExtractString(scope, 'vrf') = {vrf:String})
    AND (empty({router:String}) OR {router:String} IN (JSONExtractString(scope, 'router'), JSONExtractString(scope, 'tor'))
        OR has(JSONExtract(scope, 'tors', 'Array(String)'), {router:String}))
    AND (empty({site:String}) OR JSONExtractString(scope, 'site') = {site:String}
        OR JSONExtractString(scope, 'node') IN (SELECT toString(node) FROM ribscope.fabric_nodes WHERE site = {site:String})
        OR JSONExtractString(scope, 'router') IN (SELECT toString(name) FROM ribscope.fabric_routers WHERE site = {site:String})
        OR JSONExtractString(scope, 'tor') IN (SELECT toString(name) FROM ribscope.fabric_routers WHERE site = {site:String}))
    AND last_seen >= {from:DateTime64(6, 'UTC')} AND first_seen <= {to:DateTime64(6, 'UTC')}
    AND ({after:String} = '' OR (-first_us, id) > (-{after_us:Int64}, {after:String}))
ORDER BY first_us DESC, id
LIMIT {limit:UInt32}
