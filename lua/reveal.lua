-- reveal: record that somebody is about to be shown a proxy's password.
-- include names replay events
--
-- GUARANTEE  One event a revelation, written before anything is shown. The password is no part of the answer, which is
--            kept for replays.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
-- RETURNS
--   OK
--   UNKNOWN_PROXY

local prior = replayed()
if prior then return prior end
if call('EXISTS', proxy_key(A.proxy)) == 0 then return {'UNKNOWN_PROXY'} end
emit('proxy.revealed', 'warning', {proxy = A.proxy})
return done({'OK'})
