-- finish_restore: all that could be restored is there; the pool may hand out again, once each server was compared.
-- include names replay events
--
-- GUARANTEE  Only the restore that goes on. What was read of a server before this moment opens no gate, as it was compared
--            with a part of the pool.
-- KEYS
--   meta       hash    restoring; epoch, seq
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   restore    str     its id
--   source     str     sql, file
--   proxies    int     how many were restored
--   leases     int     how many of those are held
--   left       int     how many could not be restored, or without their lease only
-- RETURNS
--   OK         epoch
--   STALE      another restore has taken over, or this one has finished

local prior = replayed()
if prior then return prior end
if call('HGET', K.meta, 'restoring') ~= A.restore then return {'STALE'} end
call('HDEL', K.meta, 'restoring')
local epoch = new_epoch(0)
emit('pool.restored', 'warning', {source = A.source, proxies = A.proxies, leases = A.leases, left = A.left})
return done({'OK', epoch})
