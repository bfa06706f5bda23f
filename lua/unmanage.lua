-- unmanage: keep policy away from an instance, or let it look after the instance again.
-- include names replay events proxies instances
--
-- GUARANTEE  No lease changes. Sending it again changes nothing.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   instance   str
--   unmanaged  flag
-- RETURNS
--   OK         1 if it changed

local prior = replayed()
if prior then return prior end
local key = instance_key(holder_of(A.server, A.instance))
local before = call('HGET', key, 'unmanaged') == '1'
if before == A.unmanaged then return done({'OK', 0}) end
call('HSET', key, 'unmanaged', flag(A.unmanaged))
tally(A.server, A.instance)
emit(A.unmanaged and 'instance.unmanaged' or 'instance.managed', 'info', {server = A.server, instance = A.instance})
return done({'OK', 1})
