-- How far the way from collectors to here is, by topic: all that was published before `reached` is stored, as far as beats go, and
-- brokers took messages all the time since `steady_since`. Both by the clock of the store. No row without writers that send beats.
CREATE OR REPLACE VIEW ribscope.pipeline AS
SELECT b.topic AS topic, max(b.asked_at) AS reached, argMax(b.steady_since, b.asked_at) AS steady_since
FROM ribscope.beats AS b
WHERE b.router = ''
GROUP BY b.topic
