DROP TABLE IF EXISTS ribscope.route_log_0002 SYNC
