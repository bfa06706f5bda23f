-- abandon: give up a reserved lease whose set was refused, never sent, or stays unknown.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Only the lease of this token, and only from reserved. Refused or unsent: the proxy goes to the end of the
--            line, behind what is kept, until one is confirmed. Unknown, now or under this lease: it is quarantined (set_unknown), as a set may land later, and is
--            not offered to this instance again: a row that names it is then known as late, not as chosen. One that was
--            active before, so that a socket may still use it, is released instead, as a tail. A lease that it was to
--            replace is the instance's again, under a new token. Five in a row, refusals of different proxies and
--            sets of different instances that stay unknown, engage the set half of the brake.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   how        str     refused, unsent, unknown
--   settle_ms  int     ms: how long an unknown set may still land
-- RETURNS
--   OK         status of the proxy, failures in a row
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase

local HOW = {refused = true, unsent = true, unknown = true}

local prior = replayed()
if prior then return prior end
if not HOW[A.how] then return redis.error_reply('BADARG how') end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if lease.phase ~= 'reserved' then return {'WRONG_PHASE', lease.phase} end

local proxy = load_hash(proxy_key(A.proxy))
if A.how == 'refused' then call('HSET', proxy_key(A.proxy), 'refused', '1') end
local unknown_at = A.how == 'unknown' and A.now_ms or sent_at(lease)
local lands_until = unknown_at > 0 and unknown_at + A.settle_ms or 0
if lease.active_at then
  make_tail(A.proxy, lease)
  set_releasing(A.proxy, lease, 'row')
  call('HSET', lease_key(A.proxy), 'release_reason', A.how, 'released_by', A.actor, 'unknown_at', ms(unknown_at))
else
  close_lease(A.proxy, lease)
  beware(A.proxy, proxy, lands_until)
  if lands_until > A.now_ms then
    quarantine(A.proxy, proxy, 'set_unknown', lands_until)
  else
    settle(A.proxy, proxy, A.now_ms)
  end
end
if lands_until > A.now_ms then shun(lease.holder, A.proxy) end

local kept
local before = lease.replaces and load_hash(lease_key(lease.replaces)) or {}
if before.tail == '1' and before.waits == 'row' and before.instance == lease.instance
  and before.server == lease.server then
  unmake_tail(lease.replaces, before)
  keep_lease(lease.replaces, before)
  kept = lease.replaces
  call('ZREM', shunned_key(lease.holder), lease.replaces)
  call('ZREM', rotated_key(lease.holder), lease.token)
end
tally(lease.server, lease.instance)
tell_of(A.proxy, lease, 'lease.abandoned', 'warning', {reason = A.how, status = proxy.status, replaces = kept})

local counts = A.how == 'refused' and A.proxy or A.how == 'unknown' and lease.holder
local refusals = counts and count_refusal(lease.server, counts) or 0
return done({'OK', proxy.status, refusals})
