-- instances: the record of each WhatsApp connection, and the figures that depend on it and on its lease.
--
-- KEYS
--   instances   zset   every known instance as server/name\nid (score 0): pages in the order of names
--   unprotected zset   open managed instances without an applied proxy (score 0)
--   unapplied   zset   instances whose active lease is set but not applied (score 0)
--   external    zset   instances whose row names a proxy that the pool does not know (score 0)
--   rows        hash   server/instance to the proxy id that its row last named
--   states      hash   <server>:<state> to the number of instances
--   unmanaged   set    server/instance that policy has to leave alone until a human assigns again

local function member_of(server, instance, name) return server .. '/' .. name .. '\n' .. instance end

local function index(key, member, belongs)
  if belongs then call('ZADD', key, 0, member) else call('ZREM', key, member) end
end

local function count_state(server, state, by)
  local field = server .. ':' .. state
  if call('HINCRBY', K.states, field, by) < 1 then call('HDEL', K.states, field) end
end

-- Takes an instance out of every list, under the name it was listed by.
local function unlist(server, instance, name)
  local member = member_of(server, instance, name)
  for _, key in ipairs({K.instances, K.unprotected, K.unapplied, K.external}) do call('ZREM', key, member) end
end

-- Recomputes which of the figures count this instance. Called by every script that touches it or its lease.
local function tally(server, instance)
  local holder = holder_of(server, instance)
  local record = load_hash(instance_key(holder))
  if not record.name then return end
  local member = member_of(server, instance, record.name)
  local id = call('HGET', leases_key(server), instance)
  local phase, applied
  if id then
    local lease = call('HMGET', lease_key(id), 'phase', 'applied')
    phase, applied = lease[1], lease[2]
  end
  local external = not id and (record.row or '') ~= '' and record.row ~= 'off'
    and call('EXISTS', proxy_key(record.row)) == 0
  local managed = record.managed == '1' and call('SISMEMBER', K.unmanaged, holder) == 0
  local protected = phase and phase ~= 'reserved' and applied == 'yes'
  index(K.external, member, external)
  index(K.unapplied, member, phase == 'active' and applied ~= 'yes')
  index(K.unprotected, member, record.state == 'open' and managed and not external and not protected)
end

-- The row of holder stopped naming a proxy: what was held back for that alone goes on.
local function unsee(id, holder)
  call('SREM', users_key(id), holder)
  local proxy = load_hash(proxy_key(id))
  if proxy.status ~= 'quarantined' or in_other_rows(id, nil) then return end
  if proxy.quarantine_reason ~= 'seen' and proxy.quarantine_reason ~= 'forced' then return end
  settle(id, proxy, math.max(A.now_ms, number(proxy.rest_until)))
  emit('proxy.unseen', 'info', {proxy = id, server = split_holder(holder), status = proxy.status})
end

-- Remembers what the row of an instance names: a proxy id, 'off', or '' (no evidence: nothing changes).
local function see_row(server, instance, row)
  local holder = holder_of(server, instance)
  local old = call('HGET', K.rows, holder) or ''
  if row == '' or row == old then return end
  call('HDEL', K.rows, holder)
  if old ~= '' then unsee(old, holder) end
  if row == 'off' then return end
  call('HSET', K.rows, holder, row)
  call('SADD', users_key(row), holder)
  local proxy = load_hash(proxy_key(row))
  if proxy.status == 'free' then
    settle(row, proxy, number(proxy.available_at))
    emit('proxy.seen', 'info', {proxy = row, server = server, instance = instance, status = proxy.status})
  end
end

-- Forgets an instance that holds nothing: its record, its place in the figures, and what its row named.
local function forget(server, instance)
  local holder = holder_of(server, instance)
  local record = load_hash(instance_key(holder))
  see_row(server, instance, 'off')
  if record.name then
    unlist(server, instance, record.name)
    count_state(server, record.state, -1)
    if call('HGET', names_key(server), record.name) == instance then call('HDEL', names_key(server), record.name) end
    emit('instance.gone', 'info', {server = server, instance = instance, name = record.name})
  end
  call('SREM', K.unmanaged, holder)
  call('DEL', instance_key(holder), shunned_key(holder))
end
