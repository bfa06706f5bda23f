-- token_create: let the holder of a secret in, under a name and with a role.
-- include names replay events sessions
--
-- GUARANTEE  Only the digest of the secret is kept. A name that is taken is refused; with replace it has another secret
--            and role from now on, its sessions end, and the same ones again change nothing.
-- KEYS
--   tokens     hash    name to digest, role, time of making in ms, end in ms or 0, rate limit or 0, one a line
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   token      str     its name
--   digest     str     SHA-256 of the secret in hex
--   role       str     viewer, admin, superadmin
--   expires_at int     ms; 0 for never
--   rate_limit int     requests a minute; 0 for any number
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
  end_sessions_of('token:' .. A.token)
  call('HSET', K.tokens, A.token, begins .. string.format('%.0f\n%.0f\n%.0f', A.now_ms, A.expires_at, A.rate_limit))
  emit('token.created', 'warning', {token = A.token, role = A.role,
    expires_at = A.expires_at > 0 and string.format('%.0f', A.expires_at) or ''})
end
return done({'OK'})
