-- What they swept is deleted. Stale marks stay: what nobody confirmed since is still in doubt.
DELETE FROM ribscope.marks WHERE effect = 'sweep' AND rx_ts < {horizon:DateTime64(6, 'UTC')}
