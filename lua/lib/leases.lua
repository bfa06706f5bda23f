-- leases: "this instance holds this proxy". One record a proxy, one entry an instance; tails are leases that an
-- instance has moved away from and whose proxy may still be in use.
--
-- KEYS
--   meta       hash    token: the last one given
--   reserved   zset    proxies whose lease is in phase reserved, by since when in ms
--   releasing  zset    proxies whose lease is in phase releasing, by since when in ms
--   stuck      zset    of those, the ones set aside after six refusals (score 0)
--   reservations zset  server/~reservation of each open reservation, by its end in ms

local function ms(value) return string.format('%.0f', value) end

local function next_token()
  local token = math.max(number(call('HGET', K.meta, 'token')) + 1, A.now_ms)
  call('HSET', K.meta, 'token', ms(token))
  return ms(token)
end

-- The lease of a proxy if token is still its own, else nil and the reply to give. A reservation is no instance's lease.
local function lease_of(id, token)
  local lease = load_hash(lease_key(id))
  if not lease.token or lease.reservation then return nil, {'STALE', id} end
  if lease.token ~= token then return nil, {'STALE', id, lease.token} end
  lease.holder = holder_of(lease.server, lease.instance)
  return lease
end

-- Sets the phase, with all that is indexed by it.
local function set_phase(id, lease, phase)
  call('ZREM', K.reserved, id)
  call('ZREM', K.releasing, id)
  if phase ~= 'releasing' then call('ZREM', K.stuck, id) end
  if phase ~= 'active' then call('ZADD', K[phase], ms(A.now_ms), id) end
  lease.phase = phase
  call('HSET', lease_key(id), 'phase', phase, 'since', ms(A.now_ms))
end

-- What was read of the instance before this moment no longer says anything of its lease.
local function note_change(holder)
  local key = instance_key(holder)
  if call('EXISTS', key) == 1 then call('HSET', key, 'lease_at', ms(A.now_ms)) end
end

-- Makes the lease of a proxy that nobody holds. fields: flat names and values beside the identity.
local function open_lease(id, proxy, server, instance, name, phase, fields)
  local lease = {server = server, instance = instance, name = name, token = next_token(), tail = '0'}
  lease.holder = holder_of(server, instance)
  forget_keeping(id, proxy)
  call('HSET', proxy_key(id), 'rest_until', ms(rest_of(proxy)))
  place(id, proxy, 'used')
  call('DEL', lease_key(id))
  call('HSET', lease_key(id), 'server', server, 'instance', instance, 'name', name, 'token', lease.token, 'tail', '0',
    'actor', A.actor, 'reserved_at', ms(A.now_ms), unpack(fields))
  call('HSET', leases_key(server), instance, id)
  note_change(lease.holder)
  set_phase(id, lease, phase)
  return lease
end

-- Removes the lease's record; the caller says where the proxy goes.
local function close_lease(id, lease)
  if lease.reservation then call('ZREM', K.reservations, holder_of(lease.server, lease.instance)) end
  note_change(holder_of(lease.server, lease.instance))
  call('DEL', lease_key(id))
  call('ZREM', K.reserved, id)
  call('ZREM', K.releasing, id)
  call('ZREM', K.stuck, id)
  if lease.tail == '1' then
    call('HDEL', tails_key(lease.server), id)
  else
    call('HDEL', leases_key(lease.server), lease.instance)
  end
end

-- The instance has moved on, its old proxy has not: the lease stops being the instance's lease.
local function make_tail(id, lease)
  lease.tail = '1'
  call('HSET', lease_key(id), 'tail', '1')
  call('HDEL', leases_key(lease.server), lease.instance)
  call('HSET', tails_key(lease.server), id, lease.instance)
end

local function unmake_tail(id, lease)
  lease.tail = '0'
  call('HSET', lease_key(id), 'tail', '0')
  call('HDEL', tails_key(lease.server), id)
  call('HSET', leases_key(lease.server), lease.instance, id)
end

-- Begins the release of a lease. was: the phase to which the release may be cancelled.
local function set_releasing(id, lease, waits)
  call('HSET', lease_key(id), 'was', lease.phase, 'waits', waits)
  set_phase(id, lease, 'releasing')
  lease.waits = waits
end

-- Calls a release off. The lease is what it was, or reserved when its row may name something else by now, as the row has
-- to be written and read back. The token changes, so that no step of the release goes on.
local function keep_lease(id, lease)
  local rewrite = lease.clear_begun_at or lease.waits == 'socket' or lease.was == 'reserved'
  lease.token = next_token()
  set_phase(id, lease, rewrite and 'reserved' or 'active')
  call('HDEL', lease_key(id), 'waits', 'was', 'grace_until', 'clear_begun_at', 'release_reason', 'released_by', 'rest_ms',
    'rest_reason', 'probation_ms', 'socket_gone', 'refusals', 'stuck')
  call('HSET', lease_key(id), 'token', lease.token)
  if rewrite then call('HSET', lease_key(id), 'applied', 'no', 'reserved_at', ms(A.now_ms)) end
end

-- The row was written anew: what the live state said before is no evidence any more.
local function forget_signs(id)
  call('HDEL', lease_key(id), 'troubled_since', 'signs', 'sign_at', 'looped', 'cured_at')
end

-- The row of an active lease was written again: what its socket was seen to do before proves nothing now.
local function unapply(id, lease)
  call('HSET', lease_key(id), 'applied', 'no', 'down', '0', 'active_at', ms(A.now_ms), 'since', ms(A.now_ms))
  forget_signs(id)
  note_change(lease.holder)
end

local SHUNNED_MOST = 100

-- The proxy is not offered to this instance again (the last hundred are remembered).
local function shun(holder, id)
  local key = shunned_key(holder)
  call('ZADD', key, ms(A.now_ms), id)
  call('ZREMRANGEBYRANK', key, 0, -1 - SHUNNED_MOST)
end

local function tell_of(id, lease, type, level, more)
  local fields = more or {}
  fields.proxy, fields.token = id, lease.token
  fields.server, fields.instance, fields.name = lease.server, lease.instance, lease.name
  emit(type, level, fields)
end

-- When a set was last sent under this lease that may still land: it was left without an answer, or its answer is awaited.
local function sent_at(lease) return math.max(number(lease.unknown_at), number(lease.sending_at)) end

local BRAKE_AFTER = 5

-- A set failed; five different ones in a row engage the set half of the server's brake. which: the proxy that Evolution
-- refused, or the holder whose set stays unknown, so that one instance that can't be set never counts twice.
local function count_refusal(server, which)
  call('SADD', refused_key(server), which)
  local refusals = call('SCARD', refused_key(server))
  if refusals >= BRAKE_AFTER and call('HGET', server_key(server), 'set_brake') ~= '1' then
    local reason = 'failed_sets count=' .. refusals
    call('HSET', server_key(server), 'set_brake', '1', 'set_brake_since', ms(A.now_ms), 'set_brake_reason', reason)
    emit('brake.engaged', 'error', {server = server, half = 'set', reason = reason})
  end
  return refusals
end
