-- session_open: who proved to be the actor may go on as that actor with a session.
-- include names replay events tokens sessions
--
-- GUARANTEE  Only while the token of the proof is there unchanged. An owner has at most 50 sessions: the oldest ends.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str     the owner
--   session    str     its id, a digest of the cookie's secret
--   digest     str     of the token's secret; '' when a JWT was the proof
--   role       str     viewer, admin, superadmin
--   rate_limit int     requests a minute; 0 for none
--   expires_at int     ms, the latest end
--   idle_ms    int     ends it when not seen for so long
--   address    str     where it was opened
--   agent      str     by which program
-- RETURNS
--   OK         when it was opened and its latest end, in ms
--   UNKNOWN_TOKEN

local prior = replayed()
if prior then return prior end
if A.digest ~= '' and token_of(A.actor) ~= A.digest .. '\n' .. A.role then return {'UNKNOWN_TOKEN'} end
sweep_sessions()
local live = {}
for _, session in ipairs(sessions_of(A.actor)) do
  if call('EXISTS', session_key(session)) == 1 then
    live[#live + 1] = session
  else
    end_session(A.actor, session)
  end
end
for i = 1, #live - SESSIONS_MOST + 1 do
  end_session(A.actor, live[i])
  emit('session.ended', 'info', {session = live[i], owner = A.actor, reason = 'too_many'})
end
local now, ends = string.format('%.0f', A.now_ms), string.format('%.0f', A.expires_at)
call('HSET', session_key(A.session), 'actor', A.actor, 'role', A.role, 'rate_limit', A.rate_limit, 'address', A.address,
  'agent', A.agent, 'created_at', now, 'seen_at', now, 'expires_at', ends)
call('PEXPIRE', session_key(A.session), math.min(A.idle_ms, A.expires_at - A.now_ms))
call('ZADD', owned_key(A.actor), now, A.session)
call('ZADD', K.sessions, ends, A.actor .. '\n' .. A.session)
emit('session.opened', 'info', {session = A.session, role = A.role, address = A.address})
return done({'OK', now, ends})
