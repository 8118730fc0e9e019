-- Changes with every insert that can change the size of a table. From metadata: costs nothing.
SELECT concat(toString((SELECT count() FROM ribscope.route_log)), ' ', toString((SELECT count() FROM ribscope.session_log)), ' ', toString((SELECT count() FROM ribscope.stats_log))) AS stored
