-- sweep: do what is due by the clock alone: probations that end, memories that fade, proxies that expire.
-- include names replay events proxies
--
-- GUARANTEE  At most limit of each kind a call. A proxy that comes back goes where it belongs: disabled, kept back while a
--            row names it, or free. Cooling needs no sweep: the line is ordered by availableAt.
-- KEYS
--   quarantine zset    by the end of the probation in ms
--   keeping    zset    kept proxies by the end of that memory in ms
--   expiring   zset    proxies with an expiry, by it in ms
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   limit      int
-- RETURNS
--   OK         restored, forgotten, expired, 1 when more is left

local prior = replayed()
if prior then return prior end

local function due(key) return call('ZRANGEBYSCORE', key, '-inf', A.now_ms, 'LIMIT', 0, A.limit) end

local restored = due(K.quarantine)
for _, id in ipairs(restored) do
  local proxy = load_hash(proxy_key(id))
  settle(id, proxy, A.now_ms)
  emit('proxy.restored', 'info', {proxy = id, status = proxy.status, reason = proxy.quarantine_reason or ''})
end

local forgotten = due(K.keeping)
for _, id in ipairs(forgotten) do
  local proxy = load_hash(proxy_key(id))
  forget_keeping(id, proxy)
  if proxy.status == 'free' then place(id, proxy, 'free', number(proxy.available_at)) end
end

local expired = due(K.expiring)
for _, id in ipairs(expired) do
  call('ZREM', K.expiring, id)
  local proxy = load_hash(proxy_key(id))
  if proxy.active == '1' then drain(id, proxy, 'expired') end
end

local more = #restored == A.limit or #forgotten == A.limit or #expired == A.limit
return done({'OK', #restored, #forgotten, #expired, more and 1 or 0})
