CREATE TABLE IF NOT EXISTS ribscope.route_log_next AS ribscope.route_log
