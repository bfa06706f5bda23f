-- verify: hold some proxies against promise P1, each in one atomic look.
-- include names
--
-- GUARANTEE  Reads only. What it reports was false at one instant, not between two looks.
-- KEYS
--   all        zset    every proxy
--   free       zset    the line
--   kept       zset    the line of what is remembered
--   used       zset    held proxies
--   quarantine zset    under probation
--   disabled   zset    isActive=false and not held
--   reserved   zset    leases in phase reserved
--   releasing  zset    leases in phase releasing
-- ARGV
--   proxy*     id:str
-- RETURNS
--   OK         then two words a broken promise: proxy, what

local PLACES = {free = K.free, kept = K.kept, used = K.used, quarantined = K.quarantine, disabled = K.disabled}
local reply = {'OK'}
local function broken(id, what)
  reply[#reply + 1] = id
  reply[#reply + 1] = what
end

local function verify_lease(id)
  local lease = load_hash(lease_key(id))
  if not lease.token then return broken(id, 'used without a lease') end
  local current = call('HGET', leases_key(lease.server), lease.instance)
  if lease.tail == '1' then
    if call('HGET', tails_key(lease.server), id) ~= lease.instance then broken(id, 'tail not in the tails') end
    if current == id then broken(id, 'tail in the lease map') end
  elseif current ~= id then
    broken(id, 'lease map names ' .. (current or 'nothing'))
  end
  for _, phase in ipairs({'reserved', 'releasing'}) do
    if (call('ZSCORE', K[phase], id) and true or false) ~= (lease.phase == phase) then
      broken(id, 'phase ' .. (lease.phase or 'none') .. ' and index ' .. phase .. ' disagree')
    end
  end
end

for _, proxy in ipairs(A.proxy) do
  local id = proxy.id
  local known = load_hash(proxy_key(id))
  local places = {}
  for _, name in ipairs({'free', 'kept', 'used', 'quarantined', 'disabled'}) do
    if call('ZSCORE', PLACES[name], id) then places[#places + 1] = name end
  end
  local listed = call('ZSCORE', K.all, id)
  if not known.status and (#places > 0 or listed) then broken(id, 'listed but unknown') end
  if known.status and not listed then broken(id, 'known but not listed') end
  if known.status then
    local expected = known.status == 'free' and known.line or known.status
    if #places ~= 1 or places[1] ~= expected then
      broken(id, 'status ' .. known.status .. ' but in ' .. (#places > 0 and table.concat(places, '+') or 'no place'))
    end
    if known.status == 'free' and not call('ZSCORE', line_key(known.line, known.group), id) then
      broken(id, 'not in the line of its group')
    end
  end
  if known.status == 'used' then verify_lease(id)
  elseif call('EXISTS', lease_key(id)) == 1 then broken(id, 'lease on a proxy that is not used') end
end
return reply
