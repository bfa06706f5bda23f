-- rotate: give the instance another proxy; the old one waits until nobody can use it any more.
-- include names replay events proxies leases instances gate
--
-- GUARANTEE  Only the active lease of this token is replaced; it becomes a tail that waits for its row. Its proxy is not
--            offered to this instance again. Abandoning the new lease brings the old one back.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   instance   str
--   token      str     of the lease to replace
--   human      flag    passes pause and brake
--   probe      flag    0
--   reason     str
--   pin        str     proxy id or ''
--   group      str
--   strict     flag
--   rest_ms    int     ms: how long the old proxy cools
-- RETURNS
--   OK         proxy, token
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase
--   NO_LEASE
--   NO_PROXY_AVAILABLE, UNKNOWN_PROXY, UNUSABLE, DISABLED, QUARANTINED, RESTING, HELD_ELSEWHERE
--   NOT_CONFIGURED, NOT_RECONCILED, PAUSED, BRAKED server

local prior = replayed()
if prior then return prior end
local old_id = call('HGET', leases_key(A.server), A.instance)
if not old_id then return {'NO_LEASE'} end
local old, stale = lease_of(old_id, A.token)
if not old then return stale end
if old.phase ~= 'active' then return {'WRONG_PHASE', old.phase} end
local closed = gate()
if closed then return closed end

local id, refusal, why = choose(old.holder, {owner = '', pin = A.pin, group = A.group, strict = A.strict})
if not id then return {refusal} end

make_tail(old_id, old)
set_releasing(old_id, old, 'row')
call('HSET', lease_key(old_id), 'release_reason', A.reason, 'released_by', A.actor, 'rest_ms', ms(A.rest_ms),
  'rest_reason', 'rotated')
shun(old.holder, old_id)
local lease = open_lease(id, load_hash(proxy_key(id)), A.server, A.instance, old.name, 'reserved', {
  'reason', A.reason, 'owner', old.owner or '', 'disc_at', old.disc_at or '', 'opened', old.opened or '0',
  'manual', flag(A.human), 'applied', 'no', 'replaces', old_id, 'chosen', why})
tally(A.server, A.instance)
tell_of(id, lease, 'lease.rotated', 'info', {reason = A.reason, replaces = old_id, chosen = why})
return done({'OK', id, lease.token})
