-- Rows of router_log that were stored before are in rib_since. The highest row counts.
CREATE TABLE IF NOT EXISTS ribscope.since_watermark (stored_at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY stored_at
