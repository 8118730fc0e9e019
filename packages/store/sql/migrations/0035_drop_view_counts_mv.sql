DROP VIEW IF EXISTS ribscope.view_counts_mv
