TRUNCATE TABLE IF EXISTS ribscope.view_counts
