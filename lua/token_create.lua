-- token_create: let the holder of a secret in, under a name and with a role.
-- include names replay events
--
-- GUARANTEE  Only the digest of the secret is kept. A name that is taken is refused; with replace it has another secret
--            and role from now on, and the same ones again change nothing.
-- KEYS
--   tokens     hash    name to digest, role and time of making in ms, one a line
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   token      str     its name
--   digest     str     SHA-256 of the secret in hex
--   role       str     viewer, admin, superadmin
--   replace    flag
-- RETURNS
--   OK
--   TOKEN_EXISTS

local prior = replayed()
if prior then return prior end
local held = call('HGET', K.tokens, A.token)
if held and not A.replace then return {'TOKEN_EXISTS'} end
local begins = A.digest .. '\n' .. A.role .. '\n'
if not held or string.sub(held, 1, #begins) ~= begins then
  call('HSET', K.tokens, A.token, begins .. string.format('%.0f', A.now_ms))
  emit('token.created', 'warning', {token = A.token, role = A.role})
end
return done({'OK'})
