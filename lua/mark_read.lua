-- mark_read: record that a server was read completely, its rows seen and its leases compared.
-- include names replay
--
-- GUARANTEE  Opens the gate of acquire for this server in the pool's life and in the epoch that the reader saw when it
--            began; a reading that began in an earlier epoch does not count for this one.
-- KEYS
--   meta       hash    epoch
--   servers    set     names of the configured servers
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   server     str
--   epoch      str     the epoch when the reading began
--   listed     int     number of instances in the list
-- RETURNS
--   OK
--   STALE      epoch   the epoch has changed since
--   NOT_CONFIGURED

local prior = replayed()
if prior then return prior end
if call('SISMEMBER', K.servers, A.server) == 0 then return {'NOT_CONFIGURED', A.server} end
local epoch = call('HGET', K.meta, 'epoch')
if epoch ~= A.epoch then return {'STALE', epoch or ''} end
local key = server_key(A.server)
call('HSETNX', key, 'first_read_at', string.format('%.0f', A.now_ms))
call('HSET', key, 'read_epoch', epoch, 'read_at', string.format('%.0f', A.now_ms),
  'listed', string.format('%.0f', A.listed))
return done({'OK'})
