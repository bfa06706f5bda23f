-- instances: the record of each WhatsApp connection, and the figures that depend on it and on its lease.
--
-- KEYS
--   instances   zset   every known instance as server/name\nid (score 0): pages in the order of names
--   unprotected zset   open managed instances without an applied proxy (score 0)
--   unapplied   zset   instances whose active lease is set but not applied (score 0)
--   spent       zset   instances that wait for a human: policy may not rotate their proxy any more (score 0)
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
  for _, key in ipairs({K.instances, K.unprotected, K.unapplied, K.spent, K.external}) do call('ZREM', key, member) end
end

-- The name no longer leads to this instance; it may lead to another one by now.
local function forget_name(server, instance, name)
  if call('HGET', names_key(server), name) == instance then call('HDEL', names_key(server), name) end
end

-- Recomputes which of the figures count this instance. Called by every script that touches it or its lease.
local function tally(server, instance)
  local holder = holder_of(server, instance)
  local record = load_hash(instance_key(holder))
  if not record.name then return end
  local member = member_of(server, instance, record.name)
  local id = call('HGET', leases_key(server), instance)
  local phase, applied, spent
  if id then
    local lease = call('HMGET', lease_key(id), 'phase', 'applied', 'spent')
    phase, applied, spent = lease[1], lease[2], lease[3]
  end
  local external = not id and (record.row or '') ~= '' and record.row ~= 'off'
    and call('EXISTS', proxy_key(record.row)) == 0
  local managed = record.managed == '1' and call('SISMEMBER', K.unmanaged, holder) == 0
  local protected = phase and phase ~= 'reserved' and applied == 'yes' and (record.row == id or record.row == '')
  index(K.external, member, external)
  index(K.spent, member, spent == '1')
  index(K.unapplied, member, phase == 'active' and applied ~= 'yes')
  index(K.unprotected, member, record.state == 'open' and managed and not external and not protected)
end

-- The pool came to know a proxy, or forgot it: that changes the figures of the instances whose rows name it.
local function tally_users(id)
  for _, holder in ipairs(call('SMEMBERS', users_key(id))) do tally(split_holder(holder)) end
end

-- The row of holder stopped naming a proxy: what was held back for that alone goes on. Its socket stays on the proxy until
-- it reconnects (EVOLUTION.md, 10); where no lease of its own waits for that, the proxy is not safe yet. Where one does,
-- the wait begins anew: a socket may have come from the row since it was last seen gone, as after a late set.
local function unsee(id, holder)
  call('SREM', users_key(id), holder)
  local proxy = load_hash(proxy_key(id))
  local lease = call('HMGET', lease_key(id), 'server', 'instance', 'waits')
  local own = lease[1] and holder_of(lease[1], lease[2]) == holder
  if own and lease[3] == 'socket' then
    call('HSET', lease_key(id), 'down', '0', 'since', string.format('%.0f', A.now_ms))
    call('HDEL', lease_key(id), 'socket_gone')
  elseif proxy.status and not own then
    beware(id, proxy, A.now_ms + number(call('HGET', K.meta, 'settle_ms')))
  end
  if proxy.status ~= 'quarantined' or in_other_rows(id, nil) then return end
  if proxy.quarantine_reason ~= 'seen' and proxy.quarantine_reason ~= 'forced' then return end
  settle(id, proxy, A.now_ms)
  emit('proxy.unseen', 'info', {proxy = id, server = split_holder(holder), status = proxy.status})
end

-- Holds the proxy of a lease that was ended against the proofs, until the row of holder is seen naming something else.
-- What the pool believes of that row is void: the next reading counts, even if it says what the last one said.
local function await_row(id, holder)
  call('SADD', users_key(id), holder)
  call('SADD', forced_key(holder), id)
  call('HINCRBY', server_key(split_holder(holder)), 'rows_void', 1)
  if call('EXISTS', instance_key(holder)) == 1 then call('HSET', instance_key(holder), 'row', '') end
end

-- Remembers what the row of an instance names: a proxy id, 'off', or '' (no evidence: nothing changes). The record of the
-- instance follows, so that the next reading is compared with what the pool believes.
local function see_row(server, instance, row)
  local holder = holder_of(server, instance)
  local old = call('HGET', K.rows, holder) or ''
  if row == '' then return end
  for _, id in ipairs(call('SMEMBERS', forced_key(holder))) do
    if id ~= row then
      call('SREM', forced_key(holder), id)
      unsee(id, holder)
    end
  end
  if call('EXISTS', instance_key(holder)) == 1 then call('HSET', instance_key(holder), 'row', row) end
  if row == old then return end
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

-- The proxy that an instance holds by a lease or a tail, or nil.
local function held_by(server, instance)
  local held = call('HGET', leases_key(server), instance)
  if held then return held end
  for id, holder in pairs(load_hash(tails_key(server))) do
    if holder == instance then return id end
  end
  return nil
end

-- Forgets an instance that holds nothing: its record, its place in the figures, and what its row named.
local function forget(server, instance)
  local holder = holder_of(server, instance)
  local record = load_hash(instance_key(holder))
  see_row(server, instance, 'off')
  if record.name then
    unlist(server, instance, record.name)
    count_state(server, record.state, -1)
    forget_name(server, instance, record.name)
    emit('instance.gone', 'info', {server = server, instance = instance, name = record.name})
  end
  call('SREM', K.unmanaged, holder)
  call('DEL', instance_key(holder), shunned_key(holder), rotated_key(holder))
end
