-- replay: a script that is sent twice under one op_id changes nothing the second time and answers the same.
--
-- ARGV
--   op_id      str     made by the caller, unique per intent; '' for none (a natural no-op guards those calls)

local OP_TTL_MS = 600000

local function replayed()
  if A.op_id == '' then return nil end
  local reply = call('LRANGE', op_key(A.op_id), 0, -1)
  return #reply > 0 and reply or nil
end

-- Remembers the answer. Refusals are not remembered: they changed nothing, and asking again is legitimate.
local function done(reply)
  for i = 1, #reply do reply[i] = tostring(reply[i]) end
  if A.op_id ~= '' then
    local key = op_key(A.op_id)
    for i = 1, #reply do call('RPUSH', key, reply[i]) end
    call('PEXPIRE', key, OP_TTL_MS)
  end
  return reply
end
