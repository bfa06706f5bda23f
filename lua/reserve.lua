-- reserve: hold a proxy for an instance that is about to be created, by the name it will have.
-- include names replay events proxies leases instances gate choice
--
-- GUARANTEE  The proxy is held by the reservation alone until a row of that server and name names it (adopt) or its time
--            is over (expire_reservation). The proxy kept for that name comes first. An open reservation of this id
--            answers what it holds.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   name       str     of the instance to be
--   reservation str    made by the caller
--   expires_at int     ms
--   human      flag    1: reservations are made by humans or their programs
--   probe      flag    0
--   pin        str
--   group      str
--   strict     flag
-- RETURNS
--   OK         proxy, token
--   NO_PROXY_AVAILABLE, UNKNOWN_PROXY, UNUSABLE, DISABLED, QUARANTINED, RESTING, HELD_ELSEWHERE
--   NOT_CONFIGURED, NOT_RECONCILED, RESTORING, PAUSED, BRAKED server

local prior = replayed()
if prior then return prior end
local instance = '~' .. A.reservation
local held = call('HGET', leases_key(A.server), instance)
if held then return done({'OK', held, call('HGET', lease_key(held), 'token')}) end
local closed = gate()
if closed then return closed end
local holder = holder_of(A.server, instance)
local choice = choose(holder, {owner = '', name = A.name, pin = A.pin, group = A.group, strict = A.strict})
local id = choice.id
if not id then return {choice.refusal} end

local lease = open_lease(id, load_hash(proxy_key(id)), A.server, instance, A.name, 'reserved', {
  'reason', 'reservation', 'reservation', A.reservation, 'expires_at', ms(A.expires_at), 'owner', '', 'disc_at', '',
  'opened', '0', 'manual', '1', 'applied', 'no', 'chosen', choice.why, 'chosen_from', choice.from,
  'counts', choice.counts})
call('ZADD', K.reservations, ms(A.expires_at), holder)
tell_of(id, lease, 'reservation.made', 'info', {chosen = choice.why, chosen_from = choice.from,
  counts = choice.counts, reservation = A.reservation})
return done({'OK', id, lease.token})
