-- Incidents, newest first.
SELECT id, cause, entity, name, severity, status, first_seen, last_seen, findings, toUnixTimestamp64Micro(first_seen) AS first_us
FROM ribscope.incidents
WHERE (empty({id:String}) OR id = {id:String})
    AND (empty({status:Array(String)}) OR has({status:Array(String)}, status))
    AND (empty({severity:Array(String)}) OR has({severity:Array(String)}, severity))
    AND last_seen >= {from:DateTime64(6, 'UTC')} AND first_seen <= {to:DateTime64(6, 'UTC')}
    AND ({after:String} = '' OR (-first_us, id) > (-{after_us:Int64}, {after:String}))
ORDER BY first_us DESC, id
LIMIT {limit:UInt32}
