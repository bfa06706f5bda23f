-- session_end: from now on the session lets nobody in.
-- include names replay events sessions
--
-- GUARANTEE  One event a session.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   session    str
--   reason     str     logout, or ended by somebody else
-- RETURNS
--   OK
--   UNKNOWN_SESSION

local prior = replayed()
if prior then return prior end
local owner = call('HGET', session_key(A.session), 'actor')
if not owner then return {'UNKNOWN_SESSION'} end
end_session(owner, A.session)
emit('session.ended', 'info', {session = A.session, owner = owner, reason = A.reason})
return done({'OK'})
