-- job_create: long work is asked for; it waits in line.
-- include names replay events tokens
--
-- GUARANTEE  A job that is there already is that job, as long as it is remembered. Leases with a token greater than after
--            were made after it was asked for.
-- KEYS
--   meta       hash    token: the last lease's
--   jobs       zset    jobs that are not over, by when they were asked for in ms: the line
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str     who asks, and in whose name it is done
--   job        str     its id, made by the caller
--   target     str     proxies, instances
--   action     str
--   task       str     what is to be done, for service/control/bulk.py alone
--   total      str     how many things, '' when nobody knows
--   most       int     jobs in line
-- RETURNS
--   OK
--   TOO_MANY_JOBS most

local prior = replayed()
if prior then return prior end
if call('EXISTS', job_key(A.job)) == 1 then return done({'OK'}) end
if call('ZCARD', K.jobs) >= A.most then return {'TOO_MANY_JOBS', tostring(A.most)} end
local now = string.format('%.0f', A.now_ms)
call('HSET', job_key(A.job), 'target', A.target, 'action', A.action, 'actor', A.actor, 'task', A.task, 'total', A.total,
  'after', call('HGET', K.meta, 'token') or '0', 'state', 'queued', 'created_at', now, 'done', 0, 'changed', 0,
  'failed_count', 0)
local proof = token_of(A.actor)
if proof then call('HSET', job_key(A.job), 'proof', proof) end
call('ZADD', K.jobs, now, A.job)
emit('job.created', 'info', {job = A.job, target = A.target, action = A.action, total = A.total})
return done({'OK'})
