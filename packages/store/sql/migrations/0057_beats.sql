-- Signs of life of BMP sessions, from their collectors, and of the way from the topic to here, from writers: the last one of each,
-- of a writer of each span in which all went well: what was shown once stays shown.
-- All of a topic go through one partition, in order: what a writer sent after a beat is stored after it (the view silent_sessions).
CREATE TABLE IF NOT EXISTS ribscope.beats
(
    topic        LowCardinality(String),
    router       LowCardinality(String) COMMENT 'empty: a writer, about the way of all',
    bmp_session  UInt64,
    sender       LowCardinality(String) COMMENT 'collector, or a run of a writer',
    rx_ts        DateTime64(6, 'UTC') COMMENT 'when it was sent, by the clock of the sender',
    patience_us  UInt64 COMMENT 'silence for so long means that the session is lost',
    asked_at     DateTime64(6, 'UTC') COMMENT 'of a writer: when it was sent, by the clock of the store',
    steady_since DateTime64(6, 'UTC') COMMENT 'of a writer: since when brokers and store answered each time, by the clock of the store',
    inserted_at  DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (router, bmp_session, topic, sender, steady_since)
SETTINGS non_replicated_deduplication_window = 1000
