-- BMP sessions of which nobody says any more that they are open, though whatever was published since is stored: their collector is
-- dead, cut off, or has ended them. No time of a collector's or a reader's clock is compared. A session that never had a beat is not here.
-- A writer that asked all the time, and was answered each time, shows that a collector could have said something. One that shows it is enough.
-- last_beat: by the clock of the collector; silent_s: at least so long, by the clock of the store; newest: no later one of the router beats.
CREATE OR REPLACE VIEW ribscope.silent_sessions AS
SELECT s.router AS router, s.bmp_session AS bmp_session, s.collector AS collector, s.last_beat AS last_beat, s.stored_at AS stored_at,
    arrayMax(x -> x.2 - greatest(x.1, toUnixTimestamp64Micro(s.stored_at)), w.spans) / 1e6 AS silent_s, s.newest AS newest
FROM
(
    SELECT router, bmp_session, argMax(topic, inserted_at) AS topic, argMax(sender, inserted_at) AS collector, argMax(rx_ts, inserted_at) AS last_beat,
        argMax(patience_us, inserted_at) AS patience_us, max(inserted_at) AS stored_at, bmp_session = max(bmp_session) OVER (PARTITION BY router) AS newest
    FROM ribscope.beats
    WHERE router != ''
    GROUP BY router, bmp_session
) AS s
INNER JOIN
(
    SELECT topic, groupArray((steady_us, asked_us)) AS spans
    FROM
    (
        SELECT topic, toUnixTimestamp64Micro(steady_since) AS steady_us, max(toUnixTimestamp64Micro(asked_at)) AS asked_us
        FROM ribscope.beats
        WHERE router = ''
        GROUP BY topic, sender, steady_us
    )
    GROUP BY topic
) AS w ON w.topic = s.topic
WHERE silent_s > s.patience_us / 1e6
