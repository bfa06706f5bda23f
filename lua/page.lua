-- page: proxies in the order of their ids, with their leases, from a cursor on.
-- include names
--
-- GUARANTEE  Reads only; looks at most at limit proxies. A proxy that is there throughout is met exactly once.
-- KEYS
--   all        zset    every proxy id at score 0
-- ARGV
--   cursor     str     '' to begin, else the last id seen
--   limit      int     proxies to look at
-- RETURNS
--   OK         next cursor ('' at the end), then three items a proxy: id, its hash, its lease's hash, both flat

local page = call('ZRANGEBYLEX', K.all, A.cursor == '' and '-' or '(' .. A.cursor, '+', 'LIMIT', 0, A.limit)
local reply = {'OK', #page == A.limit and page[#page] or ''}
for _, id in ipairs(page) do
  reply[#reply + 1] = id
  reply[#reply + 1] = call('HGETALL', proxy_key(id))
  reply[#reply + 1] = call('HGETALL', lease_key(id))
end
return reply
