-- choice: which proxy a wish gets now, why that one, and what it was chosen from. Reads only; the caller writes.
--
-- KEYS
--   free       zset    candidates, oldest rested first
--   kept       zset    candidates, after those of free
--   used       zset    held proxies
--   quarantine zset    under probation
--   disabled   zset    isActive=false and not held
--   groups     hash    <status>:<group> to the number of proxies there
--   memory     hash    a returning number (phone or name) to the proxy kept for it

local LOOK_AT = 128 -- more than the hundred proxies that an instance can shun

-- The first proxy of a line that may be given to holder now, of those whose last set was refused, or of the others.
local function first_of(key, holder, refused)
  for _, id in ipairs(call('ZRANGEBYSCORE', key, '-inf', A.now_ms, 'LIMIT', 0, LOOK_AT)) do
    if (call('HGET', proxy_key(id), 'refused') == '1') == refused and not in_other_rows(id, holder)
      and not call('ZSCORE', shunned_key(holder), id) then
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
  return id
end

-- The proxy that is kept for whoever returns under this phone number, else under this name; nil unless it is free now
-- and of the group asked for. Where both numbers are known, a name is nobody's but its last number's.
local function remembered(holder, item)
  local owners = owners_of(A.server, item.name, item.owner)
  for _, field in ipairs(KEPT) do
    local id = owners[field] and call('HGET', K.memory, owners[field])
    local score = id and call('ZSCORE', K.kept, id)
    if score and tonumber(score) <= A.now_ms then
      local kept = call('HMGET', proxy_key(id), 'group', 'kept_phone')
      local anothers = owners.kept_phone and kept[2] and kept[2] ~= owners.kept_phone
      if not anothers and (item.group == '' or kept[1] == item.group) and not in_other_rows(id, holder)
        and not call('ZSCORE', shunned_key(holder), id) then
        return id
      end
    end
  end
  return nil
end

-- What a proxy of group ('' for any) was chosen from, as name:number pairs. candidates: free and rested, nobody's
-- memory; kept: the same, kept for numbers that may return; elsewhere: free and rested, but of other groups; shunned:
-- never offered to this instance again, wherever they are.
local function counts_of(holder, group)
  local function available(line) return call('ZCOUNT', line, '-inf', A.now_ms) end
  local function in_status(status, key)
    return group == '' and call('ZCARD', key) or number(call('HGET', K.groups, status .. ':' .. group))
  end
  local free, kept, elsewhere = K.free, K.kept, 0
  if group ~= '' then
    elsewhere = available(free) + available(kept)
    free, kept = line_key('free', group), line_key('kept', group)
  end
  local candidates, memories = available(free), available(kept)
  local counts = {
    {'candidates', candidates},
    {'kept', memories},
    {'resting', call('ZCARD', free) + call('ZCARD', kept) - candidates - memories},
    {'elsewhere', group == '' and 0 or elsewhere - candidates - memories},
    {'quarantined', in_status('quarantined', K.quarantine)},
    {'used', in_status('used', K.used)},
    {'disabled', in_status('disabled', K.disabled)},
    {'shunned', call('ZCARD', shunned_key(holder))},
  }
  for i, pair in ipairs(counts) do counts[i] = pair[1] .. ':' .. pair[2] end
  return table.concat(counts, ' ')
end

-- The first of a group's lines, '' for any: what is kept for others comes after what nobody may ask back.
local function in_line(group, holder, refused)
  local free, kept = K.free, K.kept
  if group ~= '' then free, kept = line_key('free', group), line_key('kept', group) end
  return first_of(free, holder, refused) or first_of(kept, holder, refused)
end

-- A proxy for the item: id, why (pin, memory, group, line), from (the group that was looked in, '' for all) and counts;
-- without one, refusal is its word. An item without a name is of no number that returns.
local function choose(holder, item)
  local choice = {from = item.group}
  if item.pin ~= '' then
    choice.why, choice.from = 'pin', ''
    choice.id, choice.refusal = pinned(item.pin, holder)
  else
    choice.why = 'memory'
    choice.id = item.name ~= '' and remembered(holder, item) or nil
    -- What was refused comes after all others: else a few dead proxies would be all that is ever tried.
    for _, refused in ipairs({false, true}) do
      if not choice.id and item.group ~= '' then
        choice.why, choice.from = 'group', item.group
        choice.id = in_line(item.group, holder, refused)
      end
      if not choice.id and not (item.group ~= '' and item.strict) then
        choice.why, choice.from = 'line', ''
        choice.id = in_line('', holder, refused)
      end
    end
    if not choice.id then choice.refusal = 'NO_PROXY_AVAILABLE' end
  end
  choice.counts = counts_of(holder, choice.from)
  return choice
end
