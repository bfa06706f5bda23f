-- snapshot: record that somebody is about to have the table in SQL compared with the pool and mended.
-- include names replay events
--
-- GUARANTEE  One event a snapshot by hand, written before anything is mended.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
-- RETURNS
--   OK

local prior = replayed()
if prior then return prior end
emit('pool.compared', 'info', {})
return done({'OK'})
