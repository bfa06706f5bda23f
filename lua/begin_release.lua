-- begin_release: the instance is to lose its proxy; say what the release waits for.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Only the lease of this token. A release only moves forward: grace, then row, and its rest never gets
--            shorter. The proxy stays used. unmanage keeps policy away from the instance until a human assigns again; it
--            is too late for a tail, as the instance has another proxy by now.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   reason     str     why, in one word
--   waits      str     grace, row
--   grace_until int    ms, with waits=grace
--   rest_ms    int     ms: how long the proxy rests once it is free
--   rest_reason str    cooldown, ban, orphan, rotated or ''
--   socket_gone flag   1: a final close proves that no socket is left
--   unmanage   flag
-- RETURNS
--   OK         releasing, waits
--   STALE      proxy, token of the present lease if any

local ORDER = {grace = 1, row = 2, socket = 3}

local prior = replayed()
if prior then return prior end
if A.waits ~= 'grace' and A.waits ~= 'row' then return redis.error_reply('BADARG waits') end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if A.unmanage and lease.tail == '1' then return {'STALE', A.proxy, lease.token} end

local key = lease_key(A.proxy)
if A.unmanage then
  call('SADD', K.unmanaged, lease.holder)
  call('HSET', key, 'manual', '1')
end
if A.socket_gone then call('HSET', key, 'socket_gone', '1') end
if A.rest_ms > number(lease.rest_ms) then
  call('HSET', key, 'rest_ms', ms(A.rest_ms), 'rest_reason', A.rest_reason)
end
local begins = lease.phase ~= 'releasing'
if begins or ORDER[lease.waits] < ORDER[A.waits] or (A.unmanage and lease.release_reason ~= A.reason) then
  if lease.phase == 'reserved' then call('HSET', key, 'unknown_at', ms(A.now_ms)) end
  if begins then set_releasing(A.proxy, lease, A.waits) end
  if ORDER[lease.waits] < ORDER[A.waits] then lease.waits = A.waits end
  call('HSET', key, 'waits', lease.waits, 'grace_until', ms(A.grace_until), 'release_reason', A.reason,
    'released_by', A.actor)
  tell_of(A.proxy, lease, 'lease.releasing', 'info', {reason = A.reason, waits = lease.waits})
end
tally(lease.server, lease.instance)
return done({'OK', 'releasing', lease.waits})
