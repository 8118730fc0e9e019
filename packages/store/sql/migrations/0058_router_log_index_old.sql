ALTER TABLE ribscope.router_log MATERIALIZE INDEX by_storage SETTINGS mutations_sync = 1
