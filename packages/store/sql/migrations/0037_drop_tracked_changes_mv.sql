DROP VIEW IF EXISTS ribscope.tracked_changes_mv
