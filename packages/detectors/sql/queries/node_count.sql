SELECT count() AS nodes FROM ribscope.fabric_nodes
