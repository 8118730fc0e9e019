-- What came after a watermark is looked for by the time of storage.
ALTER TABLE ribscope.router_log ADD INDEX IF NOT EXISTS by_storage stored_at TYPE minmax GRANULARITY 1
