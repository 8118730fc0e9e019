SELECT max(at) AS at
FROM (SELECT max(f.at) AS at FROM ribscope.findings_log AS f UNION ALL SELECT max(i.at) FROM ribscope.incidents_log AS i)
