-- begin_clear: the row is about to be cleared: from here on the instance can't simply keep its proxy.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Written before the clear is sent, only for a release that waits for its row; a release that was cancelled
--            meanwhile is not cleared. Sending it again changes nothing.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
-- RETURNS
--   OK
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase, waits

local prior = replayed()
if prior then return prior end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if lease.phase ~= 'releasing' or lease.waits ~= 'row' then return {'WRONG_PHASE', lease.phase, lease.waits or ''} end
if not lease.clear_begun_at then
  call('HSET', lease_key(A.proxy), 'clear_begun_at', ms(A.now_ms))
  tell_of(A.proxy, lease, 'lease.clearing', 'info')
end
return done({'OK'})
