TRUNCATE TABLE IF EXISTS ribscope.peer_facts
