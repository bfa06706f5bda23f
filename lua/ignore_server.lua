-- ignore_server: let the pool hand out proxies although this server was never read, or stop doing so.
-- include names replay events
--
-- GUARANTEE  A human's override of the first-sight gate for one server, audited.
-- KEYS
--   meta       hash    epoch, seq
--   events     stream  server.ignored, server.heeded
--   servers    set     names of the configured servers
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   ignored    flag
-- RETURNS
--   OK         0 or 1
--   NOT_CONFIGURED server

local prior = replayed()
if prior then return prior end
if call('SISMEMBER', K.servers, A.server) == 0 then return {'NOT_CONFIGURED', A.server} end
local value = flag(A.ignored)
if (call('HGET', server_key(A.server), 'ignored') or '0') ~= value then
  call('HSET', server_key(A.server), 'ignored', value)
  emit(A.ignored and 'server.ignored' or 'server.heeded', 'warning', {server = A.server})
end
return done({'OK', value})
