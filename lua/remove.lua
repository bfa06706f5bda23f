-- remove: forget a proxy that nobody holds.
-- include names replay events proxies instances
--
-- GUARANTEE  A held proxy is refused. What must rest still rests when the same endpoint is imported again, and which rows
--            name it is not forgotten.
-- KEYS
--   all        zset    every proxy id at score 0
--   hosts      hash    <host>|<protocol> to the number of proxies there
--   expiring   zset    proxies with an expiry, by it in ms
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
-- RETURNS
--   OK
--   UNKNOWN_PROXY
--   HELD       server/instance that holds it

local prior = replayed()
if prior then return prior end
local proxy = load_hash(proxy_key(A.proxy))
if not proxy.status then return {'UNKNOWN_PROXY'} end
if proxy.status == 'used' then
  local lease = call('HMGET', lease_key(A.proxy), 'server', 'instance')
  return {'HELD', holder_of(lease[1], lease[2])}
end
local rest = rest_of(proxy)
if rest > A.now_ms then call('SET', rest_key(A.proxy), string.format('%.0f', rest), 'PX', rest - A.now_ms) end
unplace(A.proxy, proxy)
forget_keeping(A.proxy, proxy)
call('ZREM', K.all, A.proxy)
call('ZREM', K.expiring, A.proxy)
local field = proxy.host .. '|' .. proxy.protocol
if call('HINCRBY', K.hosts, field, -1) < 1 then call('HDEL', K.hosts, field) end
call('DEL', proxy_key(A.proxy))
tally_users(A.proxy)
emit('proxy.removed', 'info', {proxy = A.proxy, status = proxy.status})
return done({'OK'})
