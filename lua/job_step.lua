-- job_step: how far a job has come, or that it is over.
-- include names replay events jobs
--
-- GUARANTEE  Only by the worker that holds it. A job that was cancelled meanwhile stays so; its figures become those of
--            what was under way.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   job        str
--   holder     str     the worker
--   lock_ms    int     how long nobody else may take it from now on
--   cursor     str     where to go on
--   done       int     things looked at
--   changed    int
--   skipped    str     how many stayed as they were, by code
--   failed     str     the first that failed, with their codes
--   failed_count int
--   state      str     running, done, failed
-- RETURNS
--   OK         state
--   STALE

local prior = replayed()
if prior then return prior end
local held = call('HMGET', job_key(A.job), 'holder', 'state')
if held[1] ~= A.holder then return {'STALE'} end
call('HSET', job_key(A.job), 'until', string.format('%.0f', A.now_ms + A.lock_ms), 'cursor', A.cursor, 'done', A.done,
  'changed', A.changed, 'skipped', A.skipped, 'failed', A.failed, 'failed_count', A.failed_count)
if held[2] ~= 'running' or A.state == 'running' then return done({'OK', held[2]}) end
end_job(A.job, A.state)
return done({'OK', A.state})
