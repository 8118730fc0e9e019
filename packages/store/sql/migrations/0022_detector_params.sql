-- Thresholds and times of the detectors in force (keys of DETECTORS.md section G), so that views take no twenty parameters.
CREATE TABLE IF NOT EXISTS ribscope.detector_params (key String, value Float64) ENGINE = MergeTree ORDER BY key
