-- import: add proxies, update the credentials of known ones, leave the others alone.
-- include names replay events proxies sealing instances
--
-- GUARANTEE  The same proxies again change nothing and enable nothing. A proxy that a row somewhere names, or that was
--            removed while it rested, does not become free, nor does a new one that has expired. Passwords are compared
--            by their fingerprints only, under any key; what an item does not name (also a password) stays.
-- KEYS
--   all        zset    every proxy id at score 0, paged in lexical order
--   hosts      hash    <host>|<protocol> to the number of proxies there
--   expiring   zset    proxies with an expiry, by it in ms
-- ARGV
--   now_ms     int     ms
--   op_id      str     replay: one id a batch
--   actor      str
--   stamp      str     id of the whole import: what a sync does not stamp, it drains
--   key        str     id of the key that the secrets are sealed with
--   item*      id:str protocol:str host:str port:str username:str secret:str fingerprints:str group:str labels:str expires_at:str unusable:str ip:flag
-- RETURNS
--   OK         then three words an item: added, updated, disabled or unchanged; status; other protocols of this address
--   WRONG_ENCRYPTION_KEY what this key seals could not be opened by all

local prior = replayed()
if prior then return prior end
if not may_seal(A.key) then return {'WRONG_ENCRYPTION_KEY'} end

local PROTOCOLS = {'http', 'https', 'socks4', 'socks5'}
local DETAILS = {'group', 'labels', 'expires_at'}

local function others(item)
  local found = {}
  for _, protocol in ipairs(PROTOCOLS) do
    if protocol ~= item.protocol and call('HEXISTS', K.hosts, item.host .. '|' .. protocol) == 1 then
      found[#found + 1] = protocol
    end
  end
  return table.concat(found, ',')
end

local function add(item)
  local now = string.format('%.0f', A.now_ms)
  local expired = item.expires_at ~= '' and tonumber(item.expires_at) <= A.now_ms
  local why = item.unusable ~= '' and item.unusable or expired and 'expired' or ''
  local active = why == '' and '1' or '0'
  local proxy = {group = item.group, active = active}
  call('ZADD', K.all, 0, item.id)
  call('HSET', proxy_key(item.id), 'protocol', item.protocol, 'host', item.host, 'port', item.port,
    'username', item.username, 'secret', item.secret, 'fingerprint', first_of(item.fingerprints), 'group', item.group,
    'labels', item.labels, 'expires_at', item.expires_at, 'unusable', item.unusable, 'active', active,
    'disabled_reason', why, 'created_at', now, 'rev', 0, 'stamp', A.stamp)
  call('HINCRBY', K.hosts, item.host .. '|' .. item.protocol, 1)
  if item.expires_at ~= '' then call('ZADD', K.expiring, item.expires_at, item.id) end
  beware(item.id, proxy, number(call('GET', rest_key(item.id))))
  settle(item.id, proxy, A.now_ms)
  tally_users(item.id)
  emit('proxy.added', 'info', {proxy = item.id, status = proxy.status, group = item.group})
  return active == '1' and 'added' or 'disabled', proxy.status
end

local function update(item, proxy)
  local changed = {}
  if item.secret ~= '' and not same_password(proxy, item.fingerprints) then
    call('HSET', proxy_key(item.id), 'secret', item.secret, 'fingerprint', first_of(item.fingerprints))
    outdate(item.id)
    changed[#changed + 1] = 'password'
  end
  for _, name in ipairs(DETAILS) do
    if item[name] ~= '' and item[name] ~= proxy[name] then changed[#changed + 1] = name end
  end
  if item.group ~= '' and item.group ~= proxy.group then regroup(item.id, proxy, item.group) end
  if item.labels ~= '' then call('HSET', proxy_key(item.id), 'labels', item.labels) end
  if item.expires_at ~= '' then
    call('HSET', proxy_key(item.id), 'expires_at', item.expires_at)
    call('ZADD', K.expiring, item.expires_at, item.id)
  end
  call('HSET', proxy_key(item.id), 'stamp', A.stamp)
  if #changed == 0 then return 'unchanged', proxy.status end
  call('HSET', proxy_key(item.id), 'updated_at', string.format('%.0f', A.now_ms))
  call('HINCRBY', proxy_key(item.id), 'rev', 1)
  emit('proxy.updated', 'info', {proxy = item.id, changed = table.concat(changed, ',')})
  return 'updated', proxy.status
end

local reply = {'OK'}
for _, item in ipairs(A.item) do
  local proxy = load_hash(proxy_key(item.id))
  local word, status
  if proxy.status then word, status = update(item, proxy) else word, status = add(item) end
  reply[#reply + 1] = word
  reply[#reply + 1] = status
  reply[#reply + 1] = item.ip and others(item) or ''
end
return done(reply)
