-- forget_server: end all that a server holds which is no longer configured, a bounded batch a call.
-- include names replay events proxies leases instances endings
--
-- GUARANTEE  Only a former server; a human's word that it is gone is the proof. Its proxies rest like those of deleted instances;
--            then its instances and what their rows named are forgotten, and in the end the server itself. At most limit of
--            each kind a call, so a call that never comes leaves a former server that holds less.
-- KEYS
--   servers    set     names of the configured servers
--   former     set     names of servers that were configured and still hold or name something
--   instances  zset    every known instance as server/name\nid
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   limit      int
--   rest_ms    int     ms: at least as long do the proxies rest
--   rest_reason str
--   settle_ms  int     ms: how long an unknown set may still land
--   memory_ms  int     ms: how long a proxy is kept for its number; 0 not at all
-- RETURNS
--   OK         leases ended, instances forgotten, 1 when more is left
--   STILL_CONFIGURED server
--   UNKNOWN_SERVER server

local prior = replayed()
if prior then return prior end
if call('SISMEMBER', K.servers, A.server) == 1 then return {'STILL_CONFIGURED', A.server} end
if call('SISMEMBER', K.former, A.server) == 0 then return {'UNKNOWN_SERVER', A.server} end

-- Some fields of a hash, however many it has.
local function some(key)
  local fields = call('HRANDFIELD', key, A.limit) or {}
  table.sort(fields)
  return fields
end

local proxies = some(tails_key(A.server))
for _, instance in ipairs(some(leases_key(A.server))) do
  proxies[#proxies + 1] = call('HGET', leases_key(A.server), instance)
end
for _, id in ipairs(proxies) do end_lease(id, load_hash(lease_key(id)), 'gone') end
if call('HLEN', tails_key(A.server)) + call('HLEN', leases_key(A.server)) > 0 then return done({'OK', #proxies, 0, 1}) end

local members = call('ZRANGEBYLEX', K.instances, '[' .. A.server .. '/', '(' .. A.server .. '0', 'LIMIT', 0, A.limit)
for _, member in ipairs(members) do forget(A.server, string.match(member, '\n([^\n]*)$')) end
if #members == A.limit then return done({'OK', #proxies, #members, 1}) end

call('SREM', K.former, A.server)
call('DEL', server_key(A.server), refused_key(A.server), names_key(A.server))
emit('server.forgotten', 'warning', {server = A.server})
return done({'OK', #proxies, #members, 0})
