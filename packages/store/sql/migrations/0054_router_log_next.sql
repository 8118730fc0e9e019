CREATE TABLE IF NOT EXISTS ribscope.router_log_next AS ribscope.router_log
