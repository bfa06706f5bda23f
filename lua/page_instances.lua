-- page_instances: instances in the order of server and name, with their proxies and leases, from a cursor on.
-- include names
--
-- GUARANTEE  Reads only; looks at most at limit instances. One that is there throughout is met exactly once.
-- KEYS
--   instances  zset    every known instance as server/name\nid (score 0)
--   unprotected zset   open managed instances without an applied proxy
--   unapplied  zset    set, not applied
--   spent      zset    instances that wait for a human
--   external   zset    instances with a proxy of someone else
--   unmanaged  set     server/instance that policy leaves alone
-- ARGV
--   list       str     instances, unprotected, unapplied, spent, external
--   cursor     str     '' to begin, else the last member seen
--   limit      int     instances to look at
-- RETURNS
--   OK         next cursor ('' at the end), then five items an instance: member, record, unmanaged (0 or 1), proxy
--              id, lease

local LISTS = {instances = K.instances, unprotected = K.unprotected, unapplied = K.unapplied, spent = K.spent,
  external = K.external}

if not LISTS[A.list] then return redis.error_reply('BADARG list') end
local page = call('ZRANGEBYLEX', LISTS[A.list], A.cursor == '' and '-' or '(' .. A.cursor, '+',
  'LIMIT', 0, A.limit)
local reply = {'OK', #page == A.limit and page[#page] or ''}
for _, member in ipairs(page) do
  local server, instance = string.match(member, '^([^/]*)/.*\n(.*)$')
  local id = call('HGET', leases_key(server), instance)
  reply[#reply + 1] = member
  reply[#reply + 1] = call('HGETALL', instance_key(holder_of(server, instance)))
  reply[#reply + 1] = call('SISMEMBER', K.unmanaged, holder_of(server, instance))
  reply[#reply + 1] = id or ''
  reply[#reply + 1] = id and call('HGETALL', lease_key(id)) or {}
end
return reply
