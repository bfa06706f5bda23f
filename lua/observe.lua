-- observe: record what a server says of some of its instances.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Every endpoint seen in a row is remembered, managed instance or not, pool member or not, and keeps its
--            proxy out of the line. A row of '' is no evidence and removes nothing; neither is a row
--            read before the instance's lease last changed. A name that has passed to another id forgets the old one,
--            unless it holds a lease or a tail. A row that was seen naming something else and names the proxy of the
--            active lease again was written by a set of ours that landed late or that a crash cut off, or by hand: it has
--            to be applied anew. Nothing else of a lease changes here.
-- KEYS
--   instances  zset    every known instance as server/name\nid
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   seen_at    int     ms: when the reading began
--   item*      instance:str name:str state:str integration:str managed:flag owner:str row:str address:str code:str disc_at:str
-- RETURNS
--   OK         number of items, number of rows that were read too early to count

local prior = replayed()
if prior then return prior end
local now, early = string.format('%.0f', A.now_ms), 0

local function is_back(server, instance, row)
  if call('HGET', leases_key(server), instance) ~= row then return end
  local lease = load_hash(lease_key(row))
  if lease.phase ~= 'active' then return end
  lease.holder = holder_of(server, instance)
  unapply(row, lease)
  tell_of(row, lease, 'lease.asserted', 'warning')
end

for _, item in ipairs(A.item) do
  local key = instance_key(holder_of(A.server, item.instance))
  local old = load_hash(key)
  if old.name and old.name ~= item.name then
    unlist(A.server, item.instance, old.name)
    forget_name(A.server, item.instance, old.name)
  end
  if old.state ~= item.state then
    if old.state then count_state(A.server, old.state, -1) end
    count_state(A.server, item.state, 1)
    call('HSET', key, 'state_since', now)
  end
  local before = call('HGET', names_key(A.server), item.name)
  if before and before ~= item.instance and not held_by(A.server, before) then forget(A.server, before) end
  local row = old.row or ''
  if number(old.lease_at) < A.seen_at then
    row = item.row
    see_row(A.server, item.instance, row)
    if old.row and old.row ~= row then is_back(A.server, item.instance, row) end
  else
    early = early + 1
  end
  call('HSET', key, 'name', item.name, 'state', item.state, 'integration', item.integration,
    'managed', flag(item.managed), 'owner', item.owner, 'row', row, 'address', item.address, 'code', item.code,
    'disc_at', item.disc_at, 'seen_at', now)
  call('HSET', names_key(A.server), item.name, item.instance)
  call('ZADD', K.instances, 0, member_of(A.server, item.instance, item.name))
  tally(A.server, item.instance)
end
return done({'OK', #A.item, early})
