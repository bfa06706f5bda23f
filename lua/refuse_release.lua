-- refuse_release: Evolution refused to clear the row; the sixth refusal sets the release aside as stuck.
-- include names replay events proxies leases
--
-- GUARANTEE  The lease and its proxy stay as they are. A stuck release waits for a human, or for a row seen cleared.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   reason     str     why, short and without secrets
-- RETURNS
--   OK         refusals, stuck (0 or 1)
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase

local prior = replayed()
if prior then return prior end
local REFUSALS = 6

local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if lease.phase ~= 'releasing' then return {'WRONG_PHASE', lease.phase} end
local refusals = call('HINCRBY', lease_key(A.proxy), 'refusals', 1)
if refusals >= REFUSALS and not call('ZSCORE', K.stuck, A.proxy) then
  call('ZADD', K.stuck, 0, A.proxy)
  call('HSET', lease_key(A.proxy), 'stuck', '1')
  tell_of(A.proxy, lease, 'lease.stuck', 'error', {reason = A.reason, refusals = refusals})
end
return done({'OK', refusals, refusals >= REFUSALS and 1 or 0})
