-- cancel_release: the instance is back, or a human wants it to keep its proxy.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Before the clear was begun the lease is what it was; afterwards it is reserved again, never active, as the
--            row has to be written and read back. The token changes, so that no step of the release goes on.
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
--   WRONG_PHASE phase  nothing to cancel, or a tail, which can't come back

local prior = replayed()
if prior then return prior end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if A.manage then call('SREM', K.unmanaged, lease.holder) end
if lease.phase ~= 'releasing' then return done({'OK', lease.phase, lease.token}) end
if lease.tail == '1' then return {'WRONG_PHASE', 'tail'} end

local phase = (lease.clear_begun_at or lease.was == 'reserved') and 'reserved' or 'active'
local key = lease_key(A.proxy)
lease.token = next_token()
set_phase(A.proxy, lease, phase)
call('HDEL', key, 'waits', 'was', 'grace_until', 'clear_begun_at', 'release_reason', 'released_by', 'rest_ms',
  'rest_reason', 'socket_gone', 'refusals', 'stuck')
call('HSET', key, 'token', lease.token)
if phase == 'reserved' then call('HSET', key, 'applied', 'no', 'reserved_at', ms(A.now_ms)) end
tally(lease.server, lease.instance)
tell_of(A.proxy, lease, 'lease.kept', 'info', {phase = phase})
return done({'OK', phase, lease.token})
