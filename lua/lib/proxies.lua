-- proxies: the one place that moves a proxy from status to status.
--
-- KEYS
--   free       zset    free or cooling, nobody's memory: score = availableAt in ms
--   kept       zset    the same, remembered for a number that may come back: handed to others last
--   used       zset    held by a lease in any phase (score 0)
--   quarantine zset    under probation: score = its end in ms
--   disabled   zset    isActive=false and not held (score 0)
--   groups     hash    <status>:<group> to the number of proxies there
--   memory     hash    a returning number (phone or name) to the proxy kept for it
--   keeping    zset    kept proxies by the end of that memory in ms

local PLACES = {used = K.used, disabled = K.disabled, quarantined = K.quarantine}
local NEVER = 253402300799000 -- the end of year 9999: a quarantine that only an observation ends

local function count(status, group, by)
  local field = status .. ':' .. group
  if call('HINCRBY', K.groups, field, by) < 1 then call('HDEL', K.groups, field) end
end

-- Takes proxy (its loaded hash) out of the structure of its present status.
local function unplace(id, proxy)
  if not proxy.status then return end
  if proxy.status == 'free' then
    call('ZREM', K[proxy.line], id)
    call('ZREM', line_key(proxy.line, proxy.group), id)
  else
    call('ZREM', PLACES[proxy.status], id)
  end
  count(proxy.status, proxy.group, -1)
end

-- Puts proxy into exactly one status. at: availableAt for free, end of probation for quarantined.
local function place(id, proxy, status, at)
  unplace(id, proxy)
  proxy.status = status
  proxy.available_at = string.format('%.0f', at or 0)
  proxy.line = (proxy.kept_phone or proxy.kept_name) and 'kept' or 'free'
  if status == 'free' then
    call('ZADD', K[proxy.line], proxy.available_at, id)
    call('ZADD', line_key(proxy.line, proxy.group), proxy.available_at, id)
  else
    call('ZADD', PLACES[status], status == 'quarantined' and proxy.available_at or 0, id)
  end
  count(status, proxy.group, 1)
  call('HSET', proxy_key(id), 'status', status, 'available_at', proxy.available_at, 'line', proxy.line,
    'updated_at', string.format('%.0f', A.now_ms))
end

-- True when a row of an instance other than holder names the proxy.
local function in_other_rows(id, holder)
  local users = call('SCARD', users_key(id))
  if users == 0 then return false end
  return users > 1 or call('SISMEMBER', users_key(id), holder or '') == 0
end

-- Takes a proxy out of the line, with a reason, until until_ms.
local function quarantine(id, proxy, reason, until_ms)
  call('HSET', proxy_key(id), 'quarantine_reason', reason)
  place(id, proxy, 'quarantined', until_ms)
end

local LONGEST_MS = 30 * 86400000

-- One more strike against a proxy: until when it is under probation. The n-th strike in a row, that is without being seen
-- applied in between, lasts 2^(n-1) times first_ms, at most 30 days.
local function strike(id, proxy, first_ms)
  proxy.strikes = number(proxy.strikes) + 1
  call('HSET', proxy_key(id), 'strikes', proxy.strikes)
  return A.now_ms + math.min(first_ms * 2 ^ (proxy.strikes - 1), LONGEST_MS)
end

-- Until then somebody may still come to use the proxy: a late set, a socket that lingers, a create under way. It does
-- not become available before, not even for a pin.
local function beware(id, proxy, until_ms)
  proxy.unsafe_until = string.format('%.0f', math.max(until_ms, number(proxy.unsafe_until)))
  call('HSET', proxy_key(id), 'unsafe_until', proxy.unsafe_until)
end

-- Where a proxy goes that nobody holds: disabled if it drains; kept back while a row names it; else into the line,
-- available from at on, or when its rest is over.
local function settle(id, proxy, at)
  at = math.max(at, number(proxy.rest_until), number(proxy.unsafe_until))
  call('HSET', proxy_key(id), 'rest_until', string.format('%.0f', at))
  if proxy.active == '0' then
    place(id, proxy, 'disabled')
  elseif in_other_rows(id, nil) then
    quarantine(id, proxy, 'seen', NEVER)
  else
    call('HDEL', proxy_key(id), 'quarantine_reason', 'rest_until')
    place(id, proxy, 'free', at)
  end
end

local KEPT = {'kept_phone', 'kept_name'}

-- As whom somebody may come back for a proxy: as a phone number, where one is known, and as a name on its server.
local function owners_of(server, name, phone)
  return {kept_phone = phone ~= '' and 'phone:' .. phone or nil, kept_name = 'name:' .. server .. '/' .. name}
end

-- Ends one of the two memories that tie a proxy to a returning number.
local function forget_owner(id, proxy, field)
  if not proxy[field] then return end
  call('HDEL', K.memory, proxy[field])
  call('HDEL', proxy_key(id), field)
  proxy[field] = nil
  if not (proxy.kept_phone or proxy.kept_name) then call('ZREM', K.keeping, id) end
end

local function forget_keeping(id, proxy)
  for _, field in ipairs(KEPT) do forget_owner(id, proxy, field) end
end

-- Moves a proxy to another group, in place and without a change of status.
local function regroup(id, proxy, group)
  local at = number(proxy.available_at)
  unplace(id, proxy)
  proxy.group = group
  call('HSET', proxy_key(id), 'group', group)
  local status = proxy.status
  proxy.status = nil
  place(id, proxy, status, at)
end

-- The password is another one: the row of whoever holds the proxy has to be written again.
local function outdate(id)
  if call('EXISTS', lease_key(id)) == 1 then call('HSET', lease_key(id), 'outdated', '1') end
end

-- Until when a proxy that nobody holds has to rest in any case: survives disabling, adoption, a pin and removal.
local function rest_of(proxy)
  local at = number(proxy.available_at)
  return math.max(number(proxy.rest_until), number(proxy.unsafe_until), at < NEVER and at or 0)
end

-- isActive=false: a held proxy keeps its lease until its end, any other is disabled at once.
local function drain(id, proxy, reason)
  proxy.active = '0'
  call('HSET', proxy_key(id), 'active', '0', 'disabled_reason', reason)
  call('HINCRBY', proxy_key(id), 'rev', 1)
  if proxy.status ~= 'used' then
    call('HSET', proxy_key(id), 'rest_until', string.format('%.0f', rest_of(proxy)))
    place(id, proxy, 'disabled')
  end
  emit('proxy.disabled', 'info', {proxy = id, status = proxy.status, reason = reason})
end

-- Ties a proxy that becomes free to the number that had it, by phone and by name. Each of these has one proxy: the one
-- that it had before is the other's alone from now on, or nobody's.
local function keep_for(id, proxy, owners, until_ms)
  forget_keeping(id, proxy)
  for _, field in ipairs(KEPT) do
    local owner = owners[field]
    local earlier = owner and call('HGET', K.memory, owner)
    if earlier then
      local other = load_hash(proxy_key(earlier))
      forget_owner(earlier, other, field)
      if other.status == 'free' then place(earlier, other, 'free', number(other.available_at)) end
    end
    if owner then
      call('HSET', K.memory, owner, id)
      call('HSET', proxy_key(id), field, owner)
      proxy[field] = owner
    end
  end
  call('ZADD', K.keeping, string.format('%.0f', until_ms), id)
end
