-- mark: note what was seen of a lease's instance (opened, down, applied), or what became of a set of its proxy.
-- include names replay events proxies sealing leases instances
--
-- GUARANTEE  Only the lease of this token. opened, down and applied are of a reading that began after the lease last
--            changed: how ever late it is told, what was seen before its row was written or cleared proves nothing of it.
--            applied needs down before it: not open, then open, after the row was read back; it proves that the proxy
--            works and ends the doubling of its probation. sending comes before a set is sent
--            under an active lease, so that a crash leaves it known as one that may land; answered ends that. unknown:
--            no answer came, and what was proved of the socket is void. asserted: the row was written again, so what was
--            applied before proves nothing now; the lease stays outdated if the password has changed once more. refused:
--            Evolution refused the proxy, which counts for the brake.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   what       str     opened, down, applied, sending, answered, unknown, asserted, refused
--   seen_at    int     ms: when the reading began, with opened, down, applied
--   fingerprints str   with asserted: of the password that was written, by each known key
-- RETURNS
--   OK         1 if the note is new
--   STALE      proxy, token of the present lease if any
--   STALE_SIGHT the lease has changed since
--   WRONG_PHASE phase  applied is for an active lease that was seen down

local prior = replayed()
if prior then return prior end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
local key = lease_key(A.proxy)

if A.what == 'unknown' then
  call('HSET', key, 'unknown_at', ms(A.now_ms))
  if lease.waits == 'socket' then
    call('HSET', key, 'down', '0')
    call('HDEL', key, 'socket_gone')
  end
  tell_of(A.proxy, lease, 'lease.set_unknown', 'warning')
  return done({'OK', 1})
end

if A.what == 'sending' then
  call('HSET', key, 'sending_at', ms(A.now_ms))
  return done({'OK', 1})
end

if A.what == 'answered' or A.what == 'refused' then
  call('HDEL', key, 'sending_at')
  if A.what == 'refused' then count_refusal(lease.server, A.proxy) end
  return done({'OK', 1})
end

local seen = A.what == 'opened' or A.what == 'down' or A.what == 'applied'
if seen and number(lease.since) > A.seen_at then return {'STALE_SIGHT'} end

if A.what == 'applied' then
  if lease.applied == 'yes' then return done({'OK', 0}) end
  if lease.phase ~= 'active' or lease.down ~= '1' then return {'WRONG_PHASE', lease.phase} end
  call('HSET', key, 'applied', 'yes', 'applied_at', ms(A.now_ms), 'opened', '1')
  call('HDEL', proxy_key(A.proxy), 'strikes')
  tally(lease.server, lease.instance)
  tell_of(A.proxy, lease, 'lease.applied', 'info')
  return done({'OK', 1})
end

if A.what == 'asserted' then
  if lease.phase ~= 'active' then return {'WRONG_PHASE', lease.phase} end
  unapply(A.proxy, lease)
  call('HDEL', key, 'sending_at')
  if same_password(load_hash(proxy_key(A.proxy)), A.fingerprints) then call('HDEL', key, 'outdated') end
  see_row(lease.server, lease.instance, A.proxy)
  tally(lease.server, lease.instance)
  tell_of(A.proxy, lease, 'lease.asserted', 'warning')
  return done({'OK', 1})
end

if A.what ~= 'opened' and A.what ~= 'down' then return redis.error_reply('BADARG what') end
if lease[A.what] == '1' then return done({'OK', 0}) end
call('HSET', key, A.what, '1')
tell_of(A.proxy, lease, 'lease.' .. A.what, 'debug')
return done({'OK', 1})
