-- Partitions change places only between tables that are alike.
ALTER TABLE ribscope.router_log_next ADD INDEX IF NOT EXISTS by_storage stored_at TYPE minmax GRANULARITY 1
