-- job_claim: a worker takes the first job in line, or goes on with it.
-- include names replay events tokens jobs
--
-- GUARANTEE  At most one holder at a time; the next one only when the lock of the last has run out. An empty line changes
--            nothing. A job is over when the token that asked for it, itself or by a session, is gone, another one or past
--            its end.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   holder     str     the worker
--   lock_ms    int     how long nobody else may take it; 0 lets go of it
-- RETURNS
--   OK         the job; '' when there is none, when another worker has it, and when it was just ended

local prior = replayed()
if prior then return prior end
local job = call('ZRANGEBYSCORE', K.jobs, '-inf', '+inf', 'LIMIT', 0, 1)[1]
if not job then return done({'OK', ''}) end
local lock = call('HMGET', job_key(job), 'holder', 'until')
if lock[1] ~= A.holder and number(lock[2]) > A.now_ms then return done({'OK', ''}) end
local asked = call('HMGET', job_key(job), 'actor', 'proof')
if asked[2] and (asked[2] == '' or asked[2] ~= token_of(asked[1])) then
  end_job(job, 'revoked')
  return done({'OK', ''})
end
call('HSET', job_key(job), 'state', 'running', 'holder', A.holder, 'until', string.format('%.0f', A.now_ms + A.lock_ms))
call('HSETNX', job_key(job), 'started_at', string.format('%.0f', A.now_ms))
return done({'OK', job})
