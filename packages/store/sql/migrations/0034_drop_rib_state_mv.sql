-- 0034-0051: narrower route rows (35 columns for 57, what few routes have in one map), and a second order of the log.
DROP VIEW IF EXISTS ribscope.rib_state_mv
