CREATE TABLE IF NOT EXISTS ribscope.fabric_vrfs
(
    vrf        LowCardinality(String),
    l3vni      UInt32,
    import_rts Array(String),
    l2vnis     Array(UInt32),
    source     LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY vrf
