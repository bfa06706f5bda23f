-- seen: somebody used a token or a session just now.
-- include names replay
--
-- GUARANTEE  The times never go back. A session that is seen lives on, but not past its latest end.
-- KEYS
--   tokens     hash    name to digest, role, time of making in ms, end in ms or 0, rate limit or 0, one a line
--   token_uses hash    token name to when it was last used, in ms
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   token      str     its name; '' for none
--   session    str     '' for none
--   idle_ms    int     ends the session when not seen for so long
-- RETURNS
--   OK

local prior = replayed()
if prior then return prior end
local now = string.format('%.0f', A.now_ms)
if A.token ~= '' and call('HEXISTS', K.tokens, A.token) == 1
  and number(call('HGET', K.token_uses, A.token)) < A.now_ms then
  call('HSET', K.token_uses, A.token, now)
end
if A.session ~= '' then
  local key = session_key(A.session)
  local kept = call('HMGET', key, 'seen_at', 'expires_at')
  if kept[1] and number(kept[1]) < A.now_ms then
    call('HSET', key, 'seen_at', now)
    call('PEXPIRE', key, math.min(A.idle_ms, number(kept[2]) - A.now_ms))
  end
end
return done({'OK'})
