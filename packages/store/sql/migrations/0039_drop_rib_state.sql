-- Made again from the log.
DROP TABLE IF EXISTS ribscope.rib_state SYNC
