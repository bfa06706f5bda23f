-- begin_restore: the pool is to be rebuilt from what a table or an export holds of it.
-- include names replay events
--
-- GUARANTEE  Nothing is handed out until finish_restore. A pool that knows proxies is refused, unless merge says that only
--            what is missing is wanted, or a restore was cut: this one takes over from that. Events and leases that come
--            have later ids and tokens than any before.
-- KEYS
--   meta       hash    restoring: the restore that goes on; epoch, seq; token
--   all        zset    every proxy id at score 0
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   restore    str     its id, made by the caller
--   merge      flag
--   epoch      int     the last that is known of, anywhere
--   token      int     the last that is known of, anywhere
-- RETURNS
--   OK         epoch
--   NOT_EMPTY  number of proxies

local prior = replayed()
if prior then return prior end
local meta = call('HMGET', K.meta, 'restoring', 'token')
local proxies = call('ZCARD', K.all)
if proxies > 0 and not A.merge and not meta[1] then return {'NOT_EMPTY', tostring(proxies)} end

call('HSET', K.meta, 'restoring', A.restore, 'token', string.format('%.0f', math.max(number(meta[2]), A.token)))
local epoch = new_epoch(A.epoch)
emit('pool.restoring', 'warning', {proxies = proxies})
return done({'OK', epoch})
