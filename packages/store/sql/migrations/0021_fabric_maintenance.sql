CREATE TABLE IF NOT EXISTS ribscope.fabric_maintenance
(
    node String, router String, vip String, site String,
    from_ts DateTime64(6, 'UTC'), to_ts DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY from_ts
