DROP VIEW IF EXISTS ribscope.peer_facts_mv
