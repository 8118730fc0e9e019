SELECT key, value FROM ribscope.detector_params ORDER BY key
