-- gate: whether anything may be handed out now.
--
-- KEYS
--   meta       hash    epoch, paused, restoring
--   servers    set     names of the configured servers

-- The reply that closes the gate, or nil. Nothing is handed out before each configured server has been read, nor from a
-- pool that is restored in part.
local function gate()
  if call('SISMEMBER', K.servers, A.server) == 0 then return {'NOT_CONFIGURED', A.server} end
  local meta = call('HMGET', K.meta, 'epoch', 'paused', 'restoring')
  if meta[3] then return {'RESTORING'} end
  for _, server in ipairs(call('SMEMBERS', K.servers)) do
    local known = call('HMGET', server_key(server), 'first_read_at', 'read_epoch', 'ignored')
    if known[3] ~= '1' and (not known[1] or known[2] ~= meta[1]) then return {'NOT_RECONCILED', server} end
  end
  if A.human then return nil end
  if meta[2] == '1' then return {'PAUSED'} end
  if not A.probe and call('HGET', server_key(A.server), 'set_brake') == '1' then return {'BRAKED', A.server} end
  return nil
end
