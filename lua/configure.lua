-- configure: record which servers are configured, and the bounds that every script keeps to.
-- include names replay
--
-- GUARANTEE  The gate of acquire asks exactly these servers. A server that is no longer named leaves the gate, and has
--            to be read again when it comes back: its rows may have changed unseen. Sending it again changes nothing.
-- KEYS
--   meta       hash    events_max, settle_ms
--   servers    set     names of the configured servers
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   events_max int     entries
--   settle_ms  int     ms: how long a late set or a lingering socket may still use a proxy
--   server*    name:str
-- RETURNS
--   OK         number of servers

local prior = replayed()
if prior then return prior end

local names = {}
for _, server in ipairs(A.server) do names[server.name] = true end
for _, old in ipairs(call('SMEMBERS', K.servers)) do
  if not names[old] then
    call('SREM', K.servers, old)
    call('HDEL', server_key(old), 'read_epoch')
  end
end
for name in pairs(names) do call('SADD', K.servers, name) end
call('HSET', K.meta, 'events_max', string.format('%.0f', A.events_max),
  'settle_ms', string.format('%.0f', A.settle_ms))
return done({'OK', #A.server})
