-- adopt: a row names a proxy and no lease says so: record the lease that the row proves.
-- include names replay events proxies leases instances
--
-- GUARANTEE  The row's proxy becomes the instance's, phase active, applied unknown, unless another lease holds it:
--            exclusivity beats choice. A reservation for this name becomes the instance's lease, and so does the lease
--            that the same instance, by its id, has on a former server: that server bears another name now. A row that
--            was read before the instance's lease last changed proves nothing. Sending it again changes nothing.
-- KEYS
--   former     set     names of servers that were configured and still hold or name something
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   seen_at    int     ms: when the reading began
--   item*      instance:str name:str owner:str disc_at:str opened:flag row:str
-- RETURNS
--   OK         then three words an item: outcome, proxy, token; outcomes: ADOPTED, HELD, HAS_OTHER, HELD_ELSEWHERE,
--              EXTERNAL, STALE_SIGHT

local prior = replayed()
if prior then return prior end

local function adopt(item)
  local proxy = load_hash(proxy_key(item.row))
  local current = call('HGET', leases_key(A.server), item.instance)
  if current == item.row then return 'HELD', current, call('HGET', lease_key(current), 'token') end
  local changed_at = call('HGET', instance_key(holder_of(A.server, item.instance)), 'lease_at')
  if number(changed_at) >= A.seen_at then return 'STALE_SIGHT' end
  see_row(A.server, item.instance, item.row)
  if current then return 'HAS_OTHER', current, call('HGET', lease_key(current), 'token') end
  if not proxy.status then return 'EXTERNAL' end

  local from, unknown_at = proxy.status, nil
  if from == 'used' then
    local other = load_hash(lease_key(item.row))
    local reserved = other.reservation and other.server == A.server and other.name == item.name
    local own_tail = other.tail == '1' and other.server == A.server and other.instance == item.instance
    local renamed = other.instance == item.instance and call('SISMEMBER', K.former, other.server) == 1
    if not reserved and not own_tail and not renamed then
      local key = instance_key(holder_of(A.server, item.instance))
      if call('HGET', key, 'conflict') ~= item.row then
        call('HSET', key, 'conflict', item.row)
        emit('lease.conflict', 'error', {server = A.server, instance = item.instance, name = item.name,
          proxy = item.row, holder = holder_of(other.server, other.instance)})
      end
      return 'HELD_ELSEWHERE', item.row, other.token
    end
    close_lease(item.row, other)
    if renamed and not held_by(other.server, other.instance) then forget(other.server, other.instance) end
    unknown_at = sent_at(other)
    from = reserved and 'reserved' or 'releasing'
  end

  proxy = load_hash(proxy_key(item.row))
  local lease = open_lease(item.row, proxy, A.server, item.instance, item.name, 'active', {
    'reason', 'adopted', 'owner', item.owner, 'disc_at', item.disc_at, 'opened', flag(item.opened), 'manual', '0',
    'applied', 'unknown', 'down', '0', 'active_at', ms(A.now_ms), 'chosen', 'row'})
  if (unknown_at or 0) > 0 then call('HSET', lease_key(item.row), 'unknown_at', ms(unknown_at)) end
  call('HDEL', instance_key(lease.holder), 'conflict')
  tell_of(item.row, lease, 'lease.adopted', 'info', {from = from})
  if in_other_rows(item.row, lease.holder) then tell_of(item.row, lease, 'lease.shared', 'error') end
  return 'ADOPTED', item.row, lease.token
end

local reply = {'OK'}
for _, item in ipairs(A.item) do
  local word, id, token = adopt(item)
  tally(A.server, item.instance)
  reply[#reply + 1] = word
  reply[#reply + 1] = id or ''
  reply[#reply + 1] = token or ''
end
return done(reply)
