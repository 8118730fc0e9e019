-- Which sessions are silent, as one number: another one when it is others.
SELECT groupBitXor(cityHash64(router, bmp_session)) AS silent FROM ribscope.silent_sessions
