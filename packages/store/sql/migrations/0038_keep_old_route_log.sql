RENAME TABLE IF EXISTS ribscope.route_log TO ribscope.route_log_0002
