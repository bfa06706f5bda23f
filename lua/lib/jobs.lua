-- jobs: long work that somebody asked for, in the order in which it was asked for.
--
-- KEYS
--   jobs       zset    jobs that are not over, by when they were asked for in ms: the line
--   jobs_over  zset    jobs that are over, by when in ms: the last hundred, each for a day

local JOB_KEPT_MS = 86400000
local JOBS_KEPT_MOST = 100

-- Ends a job: its figures stay for a day, what it was to do is forgotten.
local function end_job(id, state)
  local now = string.format('%.0f', A.now_ms)
  call('ZREM', K.jobs, id)
  call('HSET', job_key(id), 'state', state, 'ended_at', now)
  call('HDEL', job_key(id), 'task')
  call('PEXPIRE', job_key(id), JOB_KEPT_MS)
  call('ZADD', K.jobs_over, now, id)
  local surplus = call('ZCARD', K.jobs_over) - JOBS_KEPT_MOST
  if surplus > 0 then
    for _, old in ipairs(call('ZRANGEBYSCORE', K.jobs_over, '-inf', '+inf', 'LIMIT', 0, surplus)) do
      call('ZREM', K.jobs_over, old)
      call('DEL', job_key(old))
    end
  end
  local job = call('HMGET', job_key(id), 'target', 'action', 'done', 'changed', 'failed_count')
  emit('job.ended', state == 'done' and 'info' or 'warning', {job = id, state = state, target = job[1], action = job[2],
    done = job[3], changed = job[4], failed = job[5]})
end
