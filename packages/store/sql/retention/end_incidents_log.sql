DELETE FROM ribscope.incidents_log
WHERE id IN (SELECT i.id FROM ribscope.incidents AS i WHERE i.status = 'resolved' AND i.last_seen < {horizon:DateTime64(6, 'UTC')})
