-- row_cleared: the row was read back and explicitly names something else: the release waits for the socket now.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Only a release that waits for its row moves on. What the row names instead is remembered. Where the row had
--            come to name the proxy again, as a late set landed, what was seen of the socket since is void.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   row        str     off, or the proxy id that the row names now
-- RETURNS
--   OK         1 when a final close has already proved the socket gone
--   STALE      proxy, token of the present lease if any
--   WRONG_PHASE phase, waits

local prior = replayed()
if prior then return prior end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if A.row == '' or A.row == A.proxy then return redis.error_reply('BADARG row') end
if lease.phase == 'releasing' and lease.waits == 'socket' then
  if call('HGET', K.rows, lease.holder) == A.proxy then
    note_change(lease.holder)
    see_row(lease.server, lease.instance, A.row)
    tally(lease.server, lease.instance)
  end
  return done({'OK', number(call('HGET', lease_key(A.proxy), 'socket_gone'))})
end
if lease.phase ~= 'releasing' or lease.waits ~= 'row' then return {'WRONG_PHASE', lease.phase, lease.waits or ''} end

note_change(lease.holder)
see_row(lease.server, lease.instance, A.row)
call('HSET', lease_key(A.proxy), 'waits', 'socket', 'down', '0', 'since', ms(A.now_ms))
call('HDEL', lease_key(A.proxy), 'stuck', 'refusals')
call('ZREM', K.stuck, A.proxy)
tally(lease.server, lease.instance)
tell_of(A.proxy, lease, 'lease.row_cleared', 'info')
return done({'OK', number(lease.socket_gone)})
