-- restore: bring back proxies as their records were, with their leases.
-- include names replay events proxies sealing instances leases
--
-- GUARANTEE  Only the restore that goes on. A proxy that the pool knows stays as it is; so does the lease of an instance,
--            then the proxy comes back without. What nobody can tell any more, who may still use it, keeps a proxy back:
--            one that was held, or held back for a row, rests for settle_ms unless a lease or a row holds it now. Later tokens are
--            higher than those that come back.
-- KEYS
--   all        zset    every proxy id at score 0
--   hosts      hash    <host>|<protocol> to the number of proxies there
--   expiring   zset    proxies with an expiry, by it in ms
--   servers    set     names of the configured servers
--   former     set     names of servers that are not configured and hold something
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   restore    str     its id
--   key        str     id of the key that the secrets are sealed with
--   settle_ms  int     ms: how long a late set or a lingering socket may still use a proxy
--   memory_ms  int     ms: how long after its last change a proxy is kept for its number
--   field*     proxy:str record:str name:str value:str
-- RETURNS
--   OK         then two words a proxy: outcome, status; outcomes: RESTORED, LEASED, UNLEASED (its lease could not be), KNOWN
--   STALE      another restore has taken over, or this one has finished
--   WRONG_ENCRYPTION_KEY what this key seals could not be opened by all

local prior = replayed()
if prior then return prior end
if call('HGET', K.meta, 'restoring') ~= A.restore then return {'STALE'} end
if not may_seal(A.key) then return {'WRONG_ENCRYPTION_KEY'} end

local ids, records = {}, {} -- by id: proxy and lease, both hashes
for _, field in ipairs(A.field) do
  if not records[field.proxy] then
    ids[#ids + 1] = field.proxy
    records[field.proxy] = {proxy = {}, lease = {}}
  end
  records[field.proxy][field.record][field.name] = field.value
end

local function save(key, record)
  for name, value in pairs(record) do call('HSET', key, name, value) end
end

-- A memory that is over, or whose number has another proxy by now, stays forgotten.
local function recall(id, proxy)
  local until_ms = number(proxy.updated_at) + A.memory_ms
  for _, field in ipairs(KEPT) do
    if proxy[field] and (until_ms <= A.now_ms or call('HEXISTS', K.memory, proxy[field]) == 1) then proxy[field] = nil end
    if proxy[field] then
      call('HSET', K.memory, proxy[field], id)
      call('ZADD', K.keeping, ms(until_ms), id)
    end
  end
end

local function hold(id, proxy, lease)
  place(id, proxy, 'used')
  save(lease_key(id), lease)
  if lease.tail == '1' then
    call('HSET', tails_key(lease.server), id, lease.instance)
  else
    call('HSET', leases_key(lease.server), lease.instance, id)
  end
  if lease.phase ~= 'active' then call('ZADD', K[lease.phase], ms(number(lease.since)), id) end
  if lease.stuck == '1' then call('ZADD', K.stuck, 0, id) end
  local holder = holder_of(lease.server, lease.instance)
  if lease.reservation then call('ZADD', K.reservations, ms(number(lease.expires_at)), holder) end
  if call('SISMEMBER', K.servers, lease.server) == 0 then call('SADD', K.former, lease.server) end
  if number(lease.token) > number(call('HGET', K.meta, 'token')) then call('HSET', K.meta, 'token', lease.token) end
  note_change(holder)
  tally(lease.server, lease.instance)
end

local function restore(id, proxy, lease)
  if call('EXISTS', proxy_key(id)) == 1 then return 'KNOWN', call('HGET', proxy_key(id), 'status') end
  local status, at, updated_at = proxy.status, number(proxy.available_at), proxy.updated_at
  local outcome = 'RESTORED'
  proxy.status = nil
  recall(id, proxy)
  save(proxy_key(id), proxy)
  call('ZADD', K.all, 0, id)
  call('HINCRBY', K.hosts, proxy.host .. '|' .. proxy.protocol, 1)
  if proxy.expires_at ~= '' then call('ZADD', K.expiring, proxy.expires_at, id) end

  local for_a_row = status == 'quarantined' and (proxy.quarantine_reason == 'seen' or proxy.quarantine_reason == 'forced')
  if status == 'used' and lease.token
    and (lease.tail == '1' or call('HEXISTS', leases_key(lease.server), lease.instance) == 0) then
    hold(id, proxy, lease)
    outcome = 'LEASED'
  elseif status == 'quarantined' and not for_a_row then
    place(id, proxy, status, at)
  else
    if status == 'used' then outcome = 'UNLEASED' end
    local in_doubt = status == 'used' or for_a_row
    if in_doubt then beware(id, proxy, A.now_ms + A.settle_ms) end
    settle(id, proxy, in_doubt and 0 or at)
  end
  call('HSET', proxy_key(id), 'updated_at', updated_at)
  tally_users(id)
  local held = outcome == 'LEASED' and lease or {}
  emit('proxy.rebuilt', outcome == 'UNLEASED' and 'warning' or 'info', {proxy = id, status = proxy.status,
    server = held.server, instance = held.instance, name = held.name, token = held.token})
  return outcome, proxy.status
end

local reply = {'OK'}
for _, id in ipairs(ids) do
  local outcome, status = restore(id, records[id].proxy, records[id].lease)
  reply[#reply + 1] = outcome
  reply[#reply + 1] = status
end
return done(reply)
