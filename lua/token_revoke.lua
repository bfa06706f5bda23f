-- token_revoke: from now on the token of this name lets nobody in.
-- include names replay events
--
-- GUARANTEE  One event a token.
-- KEYS
--   tokens     hash    name to digest, role and time of making in ms, one a line
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   token      str     its name
-- RETURNS
--   OK
--   UNKNOWN_TOKEN

local prior = replayed()
if prior then return prior end
if call('HDEL', K.tokens, A.token) == 0 then return {'UNKNOWN_TOKEN'} end
emit('token.revoked', 'warning', {token = A.token})
return done({'OK'})
