-- rotate: give the instance another proxy; the old one waits until nobody can use it any more.
-- include names replay events proxies leases instances gate choice
--
-- GUARANTEE  Only the active lease of this token is replaced; it becomes a tail that waits for its row. Its proxy is not
--            offered to this instance again. Abandoning the new lease brings the old one back. Policy rotates an instance
--            at most per_day times in 24 hours, and never away from what a human pinned; then the lease is spent: the
--            instance waits for a human, which is told once. A human's rotation counts for nothing and begins anew.
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
--   probation_ms int   ms: its first probation when it is released, doubled with each strike; 0: none
--   per_day    int     how often policy may rotate the instance in 24 hours
-- RETURNS
--   OK         proxy, token
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase
--   NO_LEASE
--   ROTATIONS_SPENT
--   NO_PROXY_AVAILABLE, UNKNOWN_PROXY, UNUSABLE, DISABLED, QUARANTINED, RESTING, HELD_ELSEWHERE
--   NOT_CONFIGURED, NOT_RECONCILED, RESTORING, PAUSED, BRAKED server

local DAY_MS = 86400000

local prior = replayed()
if prior then return prior end
local old_id = call('HGET', leases_key(A.server), A.instance)
if not old_id then return {'NO_LEASE'} end
local old, stale = lease_of(old_id, A.token)
if not old then return stale end
if old.phase ~= 'active' then return {'WRONG_PHASE', old.phase} end
local closed = gate()
if closed then return closed end

local rotated = rotated_key(old.holder)
if not A.human then
  local by_hand = string.sub(old.chosen or '', 1, 3) == 'pin'
  if by_hand or call('ZCOUNT', rotated, '(' .. ms(A.now_ms - DAY_MS), '+inf') >= A.per_day then
    if old.spent ~= '1' then
      call('HSET', lease_key(old_id), 'spent', '1')
      tally(A.server, A.instance)
      tell_of(old_id, old, 'rotation.spent', 'error', {reason = by_hand and 'pinned' or 'per_day', per_day = A.per_day})
    end
    return {'ROTATIONS_SPENT'}
  end
end

local choice = choose(old.holder, {owner = '', name = '', pin = A.pin, group = A.group, strict = A.strict})
local id = choice.id
if not id then return {choice.refusal} end

make_tail(old_id, old)
set_releasing(old_id, old, 'row')
call('HSET', lease_key(old_id), 'release_reason', A.reason, 'released_by', A.actor, 'rest_ms', ms(A.rest_ms),
  'rest_reason', 'rotated', 'probation_ms', ms(A.probation_ms))
shun(old.holder, old_id)
local lease = open_lease(id, load_hash(proxy_key(id)), A.server, A.instance, old.name, 'reserved', {
  'reason', A.reason, 'owner', old.owner or '', 'disc_at', old.disc_at or '', 'opened', old.opened or '0',
  'manual', flag(A.human), 'applied', 'no', 'replaces', old_id, 'chosen', choice.why, 'chosen_from', choice.from,
  'counts', choice.counts})
if A.human then
  call('DEL', rotated)
else
  call('ZADD', rotated, ms(A.now_ms), lease.token)
  call('ZREMRANGEBYRANK', rotated, 0, -1 - A.per_day)
  call('PEXPIRE', rotated, DAY_MS)
end
tally(A.server, A.instance)
tell_of(id, lease, 'lease.rotated', 'info', {reason = A.reason, replaces = old_id, chosen = choice.why,
  chosen_from = choice.from, counts = choice.counts})
return done({'OK', id, lease.token})
