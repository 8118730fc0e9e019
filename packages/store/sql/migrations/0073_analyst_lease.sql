-- Which of several analysts is at work: the holder of the highest term. A term is taken by one insert token, so by one of them.
CREATE TABLE IF NOT EXISTS ribscope.analyst_lease
(
    term     UInt64 COMMENT 'counts the takings',
    holder   String COMMENT 'names a run of a process',
    beat     UInt64 COMMENT 'counts the renewals of a term',
    released UInt8 COMMENT '1: given back, the next one need not wait',
    at       DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'for people: no time of a clock is compared'
)
ENGINE = ReplacingMergeTree(beat)
ORDER BY (term, holder)
SETTINGS non_replicated_deduplication_window = 1000
