-- lpm_at as of now, out of the log: it has prefixes in order, the table of current states does not.
CREATE OR REPLACE VIEW ribscope.lpm AS
SELECT * FROM ribscope.lpm_at(at = '2299-12-31 00:00:00', address = {address:String})
