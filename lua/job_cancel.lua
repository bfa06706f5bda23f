-- job_cancel: a job is not wanted any more.
-- include names replay events jobs
--
-- GUARANTEE  One that is over stays as it is. What is under way at this moment is finished, nothing more is begun.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   job        str
-- RETURNS
--   OK
--   UNKNOWN_JOB
--   JOB_OVER   state

local prior = replayed()
if prior then return prior end
local state = call('HGET', job_key(A.job), 'state')
if not state then return {'UNKNOWN_JOB'} end
if state ~= 'queued' and state ~= 'running' then return {'JOB_OVER', state} end
end_job(A.job, 'cancelled')
return done({'OK'})
