-- verify_leases: hold a page of a server's lease map against promise P1.
-- include names
--
-- GUARANTEE  Reads only; each entry in one atomic look.
-- ARGV
--   server     str
--   instance*  id:str
-- RETURNS
--   OK         then two words a broken promise: instance, what

local reply = {'OK'}
local function broken(instance, what)
  reply[#reply + 1] = instance
  reply[#reply + 1] = what
end
for _, instance in ipairs(A.instance) do
  local id = call('HGET', leases_key(A.server), instance.id)
  if id then
    local lease = load_hash(lease_key(id))
    local status = call('HGET', proxy_key(id), 'status')
    if status ~= 'used' then broken(instance.id, 'holds ' .. id .. ', which is ' .. (status or 'unknown')) end
    if lease.server ~= A.server or lease.instance ~= instance.id then
      broken(instance.id, 'lease of ' .. id .. ' names ' .. (lease.instance or 'nobody'))
    elseif lease.tail == '1' then
      broken(instance.id, 'the lease map names the tail ' .. id)
    end
  end
end
return reply
