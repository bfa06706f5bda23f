-- sessions: logins to the dashboard. The owner of one is the actor that it acts as.
--
-- KEYS
--   sessions   zset    '<owner>\n<session>' by its latest end in ms

local SESSIONS_MOST = 50
local SWEPT = 100

local function end_session(owner, session)
  call('DEL', session_key(session))
  call('ZREM', owned_key(owner), session)
  call('ZREM', K.sessions, owner .. '\n' .. session)
end

-- Those of one owner, the oldest first.
local function sessions_of(owner)
  return call('ZRANGEBYSCORE', owned_key(owner), '-inf', '+inf', 'LIMIT', 0, SESSIONS_MOST)
end

local function end_sessions_of(owner)
  for _, session in ipairs(sessions_of(owner)) do end_session(owner, session) end
end

-- Forgets sessions that are over by the clock.
local function sweep_sessions()
  local over = call('ZRANGEBYSCORE', K.sessions, '-inf', string.format('%.0f', A.now_ms), 'LIMIT', 0, SWEPT)
  for _, member in ipairs(over) do
    local owner, session = string.match(member, '^(.*)\n(.*)$')
    end_session(owner, session)
  end
end
