-- cancel_release: the instance is back, or a human wants it to keep its proxy.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Before the clear was begun the lease is what it was; afterwards, or once the row names something else, it is
--            reserved again, never active, as the row has to be written and read back. The token changes, so that no
--            step of the release goes on. A lease that is not releasing stays as it is. Policy (manage=0) does not undo the
--            release of an instance that a human left unmanaged.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   manage     flag    1: policy looks after the instance again
-- RETURNS
--   OK         phase, token
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE tail   the instance has another proxy already
--   WRONG_PHASE unmanaged

local prior = replayed()
if prior then return prior end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if lease.tail == '1' then return {'WRONG_PHASE', 'tail'} end
if not A.manage and call('SISMEMBER', K.unmanaged, lease.holder) == 1 then return {'WRONG_PHASE', 'unmanaged'} end

if A.manage then call('SREM', K.unmanaged, lease.holder) end
if lease.phase == 'releasing' then
  keep_lease(A.proxy, lease)
  tell_of(A.proxy, lease, 'lease.kept', 'info', {phase = lease.phase})
end
tally(lease.server, lease.instance)
return done({'OK', lease.phase, lease.token})
