-- suspect: the server or its network is to blame for what its instances show, not their proxies; or no longer.
-- include names replay events
--
-- GUARANTEE  One event a change; the same again changes nothing. Lives in Redis, so a restart does not forget since when.
-- KEYS
--   servers    set     names of the configured servers
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   suspected  flag
--   reason     str     in words
-- RETURNS
--   OK         1 if it changed
--   NOT_CONFIGURED server

local prior = replayed()
if prior then return prior end
if call('SISMEMBER', K.servers, A.server) == 0 then return {'NOT_CONFIGURED', A.server} end
local before = call('HGET', server_key(A.server), 'suspect_since')
if (before and true or false) == A.suspected then return done({'OK', 0}) end
if A.suspected then
  call('HSET', server_key(A.server), 'suspect_since', string.format('%.0f', A.now_ms), 'suspect_reason', A.reason)
else
  call('HDEL', server_key(A.server), 'suspect_since', 'suspect_reason')
end
emit(A.suspected and 'server.suspect' or 'server.cleared', A.suspected and 'error' or 'warning',
  {server = A.server, reason = A.reason})
return done({'OK', 1})
