-- expire_reservation: end a reservation that no row fulfilled; its proxy rests, as the create may still be under way.
-- include names replay events proxies leases
--
-- GUARANTEE  Ends a reservation only at its time, or before it when a human cancels. One that became an instance's lease
--            is no reservation any more and is left alone.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   reservation str
--   cancelled  flag
--   rest_ms    int     ms
-- RETURNS
--   OK         proxy
--   NO_RESERVATION
--   NOT_DUE    expires_at

local prior = replayed()
if prior then return prior end
local id = call('HGET', leases_key(A.server), '~' .. A.reservation)
if not id then return {'NO_RESERVATION'} end
local lease = load_hash(lease_key(id))
if number(lease.expires_at) > A.now_ms and not A.cancelled then return {'NOT_DUE', lease.expires_at} end
close_lease(id, lease)
call('HSET', proxy_key(id), 'rest_reason', 'settle')
local proxy = load_hash(proxy_key(id))
beware(id, proxy, A.now_ms + A.rest_ms)
settle(id, proxy, A.now_ms)
tell_of(id, lease, A.cancelled and 'reservation.cancelled' or 'reservation.expired', 'info', {status = proxy.status})
return done({'OK', id})
