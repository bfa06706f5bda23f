-- finish_release: the old holder can no longer use the proxy: end the lease and say where the proxy goes.
-- include names replay events proxies leases instances endings
--
-- GUARANTEE  moved needs a release whose row was read back and whose socket was then seen down or closed for good. gone and recreated end a
--            lease in any phase: the instance itself does not exist. forced ends it against the proofs, and the proxy
--            stays quarantined until its row is seen naming something else. A set that may still land, or a row that
--            names the proxy, keeps it out of the line in each case. unmanage is as with begin_release.
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
--   memory_ms  int     ms: how long the proxy is kept for its number and its name; 0 not at all
--   unmanage   flag
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
if A.unmanage and lease.tail == '1' then return {'STALE', A.proxy, lease.token} end
local proved = lease.phase == 'releasing' and lease.waits == 'socket' and (lease.down == '1' or lease.socket_gone == '1')
if A.evidence == 'moved' and not proved then return {'WRONG_PHASE', lease.phase, lease.waits or ''} end

if A.unmanage and call('SADD', K.unmanaged, lease.holder) == 1 then
  emit('instance.unmanaged', 'info', {server = lease.server, instance = lease.instance})
end
local proxy = end_lease(A.proxy, lease, A.evidence)
return done({'OK', proxy.status, proxy.available_at})
