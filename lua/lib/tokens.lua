-- tokens: who may use the service.
--
-- KEYS
--   tokens     hash    name to digest, role, time of making in ms, end in ms or 0, rate limit or 0, one a line

-- Digest and role of the token that acts as the actor, which tell it from a later one of its name; '' when it is gone
-- or past its end, nil for an actor that is no token.
local function token_of(actor)
  local name = string.match(actor, '^token:(.*)$')
  if not name then return nil end
  local proof, ends = string.match(call('HGET', K.tokens, name) or '', '^([^\n]*\n[^\n]*)\n[^\n]*\n?(%d*)')
  if not proof or (number(ends) > 0 and number(ends) <= A.now_ms) then return '' end
  return proof
end
