-- Prefixes that detectors watch and that had an event, by the time at which the event was stored: what the analyst reads to know
-- where to look. Host routes, VIPs and EVPN.
CREATE TABLE IF NOT EXISTS ribscope.tracked_changes
(
    inserted_at DateTime64(6, 'UTC'),
    addr        IPv6,
    bits        UInt8,
    afi         UInt16,
    rx_ts       DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY inserted_at
TTL toDateTime(inserted_at) + INTERVAL 1 DAY
SETTINGS non_replicated_deduplication_window = 10000
