-- finish_release: the old holder can no longer use the proxy: end the lease and say where the proxy goes.
-- include names replay events proxies leases instances
--
-- GUARANTEE  moved needs a release whose row was read back and whose socket was then seen down or closed for good. gone and recreated end a
--            lease in any phase: the instance itself does not exist. forced ends it against the proofs, and the proxy
--            stays quarantined until its row is seen naming something else. A set that may still land, or a row that
--            names the proxy, keeps it out of the line in each case.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   evidence   str     moved, gone, recreated, forced
--   rest_ms    int     ms: at least as long does the proxy rest
--   rest_reason str    why, where the release gave none
--   settle_ms  int     ms: how long an unknown set may still land
--   memory_ms  int     ms: how long the proxy is kept for its number; 0 not at all
-- RETURNS
--   OK         status of the proxy, availableAt
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase, waits

local EVIDENCE = {moved = true, gone = true, recreated = true, forced = true}

local prior = replayed()
if prior then return prior end
if not EVIDENCE[A.evidence] then return redis.error_reply('BADARG evidence') end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
local proved = lease.phase == 'releasing' and lease.waits == 'socket' and (lease.down == '1' or lease.socket_gone == '1')
if A.evidence == 'moved' and not proved then return {'WRONG_PHASE', lease.phase, lease.waits or ''} end

local gone = A.evidence == 'gone' or A.evidence == 'recreated'
if gone then see_row(lease.server, lease.instance, 'off') end
close_lease(A.proxy, lease)
local proxy = load_hash(proxy_key(A.proxy))
local rest = math.max(A.rest_ms, number(lease.rest_ms))
local at = A.now_ms + rest
local unknown_at = lease.phase == 'reserved' and A.now_ms or sent_at(lease)
local lands_until = unknown_at > 0 and unknown_at + A.settle_ms or 0
beware(A.proxy, proxy, lands_until)
if gone then beware(A.proxy, proxy, at) end

local reason = A.rest_reason ~= '' and A.rest_reason or lease.rest_reason or ''
call('HSET', proxy_key(A.proxy), 'rest_reason', rest > 0 and reason or '', 'last_holder', lease.holder)
if A.memory_ms > 0 and (lease.owner or '') ~= '' and lease.tail ~= '1' and A.evidence ~= 'forced' then
  keep_for(A.proxy, proxy, lease.owner, A.now_ms + A.memory_ms)
end
if A.evidence == 'forced' then
  await_row(A.proxy, lease.holder)
  call('HSET', proxy_key(A.proxy), 'rest_until', ms(math.max(rest_of(proxy), at)))
  quarantine(A.proxy, proxy, 'forced', NEVER)
elseif lands_until > at then
  quarantine(A.proxy, proxy, 'set_unknown', lands_until)
else
  settle(A.proxy, proxy, at)
end
tally(lease.server, lease.instance)
tell_of(A.proxy, lease, 'lease.released', A.evidence == 'forced' and 'warning' or 'info',
  {reason = lease.release_reason or A.evidence, evidence = A.evidence, status = proxy.status})
return done({'OK', proxy.status, proxy.available_at})
