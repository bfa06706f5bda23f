-- stats: every figure of the pool, without walking it.
-- include names
--
-- GUARANTEE  Reads only. Costs the number of groups and servers, not of proxies.
-- KEYS
--   meta       hash    paused, restoring, epoch, lost_first, lost_last, events_max
--   all        zset    every proxy
--   free       zset    the line
--   kept       zset    the line of what is remembered
--   used       zset    held proxies
--   quarantine zset    under probation
--   disabled   zset    isActive=false and not held
--   reserved   zset    leases in phase reserved
--   releasing  zset    leases in phase releasing
--   stuck      zset    releases set aside
--   unprotected zset   open managed instances without an applied proxy
--   unapplied  zset    set, not applied
--   spent      zset    instances that wait for a human
--   external   zset    instances with a proxy of someone else
--   reservations zset  open reservations
--   instances  zset    every known instance
--   groups     hash    <status>:<group> to a number
--   states     hash    <server>:<state> to a number
--   servers    set     names of the configured servers
--   former     set     names of servers that were configured and still hold or name something
--   events     stream  the audit trail
-- ARGV
--   now_ms     int     ms
-- RETURNS
--   OK         then names and values in turn: figures by their name; group:<status>:<group>, state:<server>:<state>,
--              cooling:<group>, server:<name>:<field>, leases:<name>, unprotected:<name>; former:<name>, its leases and tails

local reply = {'OK'}
local function say(name, value)
  reply[#reply + 1] = name
  reply[#reply + 1] = tostring(value or '')
end
local function waiting(key) return call('ZCOUNT', key, '(' .. string.format('%.0f', A.now_ms), '+inf') end

say('total', call('ZCARD', K.all))
say('line', call('ZCARD', K.free) + call('ZCARD', K.kept))
say('cooling', waiting(K.free) + waiting(K.kept))
for _, name in ipairs({'used', 'quarantine', 'disabled', 'reserved', 'releasing', 'stuck', 'unprotected', 'unapplied', 'spent',
  'external', 'reservations', 'instances'}) do
  say(name, call('ZCARD', K[name]))
end
say('events', call('XLEN', K.events))
for _, name in ipairs({'paused', 'restoring', 'epoch', 'lost_first', 'lost_last', 'events_max'}) do
  say(name, call('HGET', K.meta, name))
end

local counts = call('HGETALL', K.groups)
for i = 1, #counts, 2 do
  say('group:' .. counts[i], counts[i + 1])
  local group = string.match(counts[i], '^free:(.*)$')
  if group then say('cooling:' .. group, waiting(line_key('free', group)) + waiting(line_key('kept', group))) end
end
local states = call('HGETALL', K.states)
for i = 1, #states, 2 do say('state:' .. states[i], states[i + 1]) end
for _, server in ipairs(call('SMEMBERS', K.servers)) do
  say('leases:' .. server, call('HLEN', leases_key(server)))
  say('unprotected:' .. server, call('ZLEXCOUNT', K.unprotected, '[' .. server .. '/', '(' .. server .. '0')) -- 0 follows /
  for name, value in pairs(load_hash(server_key(server))) do say('server:' .. server .. ':' .. name, value) end
end
for _, server in ipairs(call('SMEMBERS', K.former)) do
  say('former:' .. server, call('HLEN', leases_key(server)) + call('HLEN', tails_key(server)))
end
return reply
