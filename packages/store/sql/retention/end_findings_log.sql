DELETE FROM ribscope.findings_log
WHERE id IN (SELECT f.id FROM ribscope.findings AS f WHERE f.status = 'resolved' AND f.last_seen < {horizon:DateTime64(6, 'UTC')})
