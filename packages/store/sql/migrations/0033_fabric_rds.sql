-- Which VRF a distinguisher belongs to, learnt from Type-5 routes that carry it: names the VRF sessions of leaves.
CREATE TABLE IF NOT EXISTS ribscope.fabric_rds (rd UInt64, vrf LowCardinality(String)) ENGINE = MergeTree ORDER BY rd
