-- confirm: the row names the proxy, read back: reserved becomes active.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Only the lease of this token, and only from reserved. A set that is believed also opens the set half of the
--            server's brake.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
-- RETURNS
--   OK         active
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase

local prior = replayed()
if prior then return prior end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if lease.phase == 'active' then return done({'OK', 'active'}) end
if lease.phase ~= 'reserved' then return {'WRONG_PHASE', lease.phase} end

set_phase(A.proxy, lease, 'active')
call('HSET', lease_key(A.proxy), 'active_at', ms(A.now_ms), 'applied', 'no', 'down', '0')
call('HDEL', lease_key(A.proxy), 'replaces')
call('HDEL', proxy_key(A.proxy), 'refused')
forget_signs(A.proxy)
note_change(lease.holder)
see_row(lease.server, lease.instance, A.proxy)
tally(lease.server, lease.instance)
tell_of(A.proxy, lease, 'lease.confirmed', 'info')

call('DEL', refused_key(lease.server))
call('HSET', server_key(lease.server), 'last_good', A.proxy)
if call('HGET', server_key(lease.server), 'set_brake') == '1' then
  call('HSET', server_key(lease.server), 'set_brake', '0')
  emit('brake.released', 'warning', {server = lease.server, half = 'set', reason = 'success'})
end
return done({'OK', 'active'})
