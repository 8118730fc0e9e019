-- VTEP addresses and the group (ToR or ToR pair) they belong to.
CREATE TABLE IF NOT EXISTS ribscope.fabric_vteps
(
    ip     IPv6,
    vgroup LowCardinality(String),
    router LowCardinality(String),
    kind   LowCardinality(String) COMMENT 'pip, anycast, bgw_vip or learned',
    site   LowCardinality(String),
    source LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY ip
