-- pause: stop or resume everything that policy would do to the pool; humans go on.
-- include names replay events
--
-- GUARANTEE  One event a change; the same state again changes nothing.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   paused     flag
-- RETURNS
--   OK         1 if it changed

local prior = replayed()
if prior then return prior end
local before = call('HGET', K.meta, 'paused') == '1'
if before == A.paused then return done({'OK', 0}) end
call('HSET', K.meta, 'paused', flag(A.paused))
emit(A.paused and 'pool.paused' or 'pool.resumed', 'warning', {})
return done({'OK', 1})
