-- gate: whether anything may be handed out now, and which proxy.
--
-- KEYS
--   meta       hash    epoch, paused
--   servers    set     names of the configured servers
--   free       zset    candidates, oldest rested first
--   kept       zset    candidates, after those of free
--   memory     hash    a returning number to the proxy kept for it

local LOOK_AT = 128 -- more than the hundred proxies that an instance can shun

-- The reply that closes the gate, or nil. Nothing is handed out before each configured server has been read.
local function gate()
  if call('SISMEMBER', K.servers, A.server) == 0 then return {'NOT_CONFIGURED', A.server} end
  local meta = call('HMGET', K.meta, 'epoch', 'paused')
  for _, server in ipairs(call('SMEMBERS', K.servers)) do
    local known = call('HMGET', server_key(server), 'first_read_at', 'read_epoch', 'ignored')
    if known[3] ~= '1' and (not known[1] or known[2] ~= meta[1]) then return {'NOT_RECONCILED', server} end
  end
  if A.human then return nil end
  if meta[2] == '1' then return {'PAUSED'} end
  if not A.probe and call('HGET', server_key(A.server), 'set_brake') == '1' then return {'BRAKED', A.server} end
  return nil
end

-- The first proxy of a line that may be given to holder now. One that a row names is taken out of the line on the way.
local function first_of(key, holder)
  for _, id in ipairs(call('ZRANGEBYSCORE', key, '-inf', A.now_ms, 'LIMIT', 0, LOOK_AT)) do
    if in_other_rows(id, holder) then
      settle(id, load_hash(proxy_key(id)), A.now_ms, holder)
      emit('proxy.seen', 'warning', {proxy = id, server = A.server})
    elseif not call('ZSCORE', shunned_key(holder), id) then
      return id
    end
  end
  return nil
end

local function pinned(id, holder)
  local proxy = load_hash(proxy_key(id))
  if not proxy.status then return nil, 'UNKNOWN_PROXY' end
  if proxy.status == 'used' then return nil, 'HELD_ELSEWHERE' end
  if proxy.unusable ~= '' then return nil, 'UNUSABLE' end
  if proxy.status == 'disabled' then return nil, 'DISABLED' end
  if in_other_rows(id, holder) then return nil, 'HELD_ELSEWHERE' end
  if proxy.status == 'quarantined' then return nil, 'QUARANTINED' end
  if number(proxy.unsafe_until) > A.now_ms then return nil, 'RESTING' end
  return id, nil, 'pin'
end

-- A proxy for the item: its id, else nil and the word of the refusal; third, why this one.
local function choose(holder, item)
  if item.pin ~= '' then return pinned(item.pin, holder) end
  local remembered = item.owner ~= '' and call('HGET', K.memory, item.owner)
  if remembered and (item.group == '' or call('HGET', proxy_key(remembered), 'group') == item.group) then
    local score = call('ZSCORE', K.kept, remembered)
    if score and tonumber(score) <= A.now_ms and not in_other_rows(remembered, holder)
      and not call('ZSCORE', shunned_key(holder), remembered) then
      return remembered, nil, 'memory'
    end
  end
  if item.group ~= '' then
    local id = first_of(line_key('free', item.group), holder) or first_of(line_key('kept', item.group), holder)
    if id then return id, nil, 'group' end
    if item.strict then return nil, 'NO_PROXY_AVAILABLE' end
  end
  local id = first_of(K.free, holder) or first_of(K.kept, holder)
  if id then return id, nil, 'line' end
  return nil, 'NO_PROXY_AVAILABLE'
end
