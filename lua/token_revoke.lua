-- token_revoke: from now on the token of this name, and every session that it opened, lets nobody in.
-- include names replay events sessions
--
-- GUARANTEE  One event a token, which stands for its sessions, too.
-- KEYS
--   tokens     hash    name to digest, role, time of making in ms, end in ms or 0, rate limit or 0, one a line
--   token_uses hash    token name to when it was last used, in ms
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
call('HDEL', K.token_uses, A.token)
end_sessions_of('token:' .. A.token)
emit('token.revoked', 'warning', {token = A.token})
return done({'OK'})
