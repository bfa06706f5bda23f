-- configure: record which servers are configured, and the bounds that every script keeps to.
-- include names replay events
--
-- GUARANTEE  The gate of acquire asks exactly these servers. A server that is no longer named leaves the gate, and has
--            to be read again when it comes back, even if it was ignored: its rows may have changed unseen. What it
--            holds it goes on to hold, as a former server: nobody can prove its proxies free. Sending it again changes
--            nothing.
-- KEYS
--   meta       hash    events_max, settle_ms
--   servers    set     names of the configured servers
--   former     set     names of servers that were configured and still hold or name something
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   events_max int     entries
--   settle_ms  int     ms: how long a late set or a lingering socket may still use a proxy
--   server*    name:str
-- RETURNS
--   OK         number of servers

local prior = replayed()
if prior then return prior end

local names = {}
for _, server in ipairs(A.server) do names[server.name] = true end
local configured = call('SMEMBERS', K.servers)
table.sort(configured)
for _, old in ipairs(configured) do
  if not names[old] then
    call('SREM', K.servers, old)
    call('HDEL', server_key(old), 'read_epoch', 'ignored')
    local leases, tails = call('HLEN', leases_key(old)), call('HLEN', tails_key(old))
    if leases + tails + call('HLEN', names_key(old)) > 0 then
      call('SADD', K.former, old)
      emit('server.left', 'warning', {server = old, leases = leases + tails})
    end
  end
end
for name in pairs(names) do
  call('SADD', K.servers, name)
  call('SREM', K.former, name)
end
call('HSET', K.meta, 'events_max', string.format('%.0f', A.events_max),
  'settle_ms', string.format('%.0f', A.settle_ms))
return done({'OK', #A.server})
