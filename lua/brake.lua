-- brake: engage or release one half of a server's brake.
-- include names replay events
--
-- GUARANTEE  One event a change; the same state again changes nothing. Lives in Redis, so a restart does not forget it. A human's
--            release of the release half is remembered (release_override) until policy itself finds the list whole.
-- KEYS
--   servers    set     names of the configured servers
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   half       str     release, set
--   engaged    flag
--   reason     str     a code and its values, for service/messages.py
-- RETURNS
--   OK         1 if it changed
--   NOT_CONFIGURED server

local prior = replayed()
if prior then return prior end
if A.half ~= 'release' and A.half ~= 'set' then return redis.error_reply('BADARG half') end
if call('SISMEMBER', K.servers, A.server) == 0 then return {'NOT_CONFIGURED', A.server} end
local field = A.half .. '_brake'
if A.half == 'release' and not A.engaged then
  call('HSET', server_key(A.server), 'release_override', flag(A.actor ~= 'auto'))
end
local before = call('HGET', server_key(A.server), field) == '1'
if before == A.engaged then return done({'OK', 0}) end
call('HSET', server_key(A.server), field, flag(A.engaged), field .. '_reason', A.reason)
if A.engaged then call('HSET', server_key(A.server), field .. '_since', string.format('%.0f', A.now_ms)) end
if A.half == 'set' then call('DEL', refused_key(A.server)) end
emit(A.engaged and 'brake.engaged' or 'brake.released', A.engaged and 'error' or 'warning',
  {server = A.server, half = A.half, reason = A.reason})
return done({'OK', 1})
