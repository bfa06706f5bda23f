-- unmanage: keep policy away from an instance, or let it look after the instance again.
-- include names replay events proxies instances
--
-- GUARANTEE  No lease changes, but for one that waits for a human (spent): letting policy look after the instance is the
--            human's word, and its rotations are counted anew. Sending it again changes nothing.
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
local holder = holder_of(A.server, A.instance)
if not A.unmanaged then
  call('DEL', rotated_key(holder))
  local id = call('HGET', leases_key(A.server), A.instance)
  if id and call('HDEL', lease_key(id), 'spent') == 1 then tally(A.server, A.instance) end
end
local changed = call(A.unmanaged and 'SADD' or 'SREM', K.unmanaged, holder)
if changed == 0 then return done({'OK', 0}) end
tally(A.server, A.instance)
emit(A.unmanaged and 'instance.unmanaged' or 'instance.managed', 'info', {server = A.server, instance = A.instance})
return done({'OK', 1})
