-- export: record that somebody is about to be given the passwords of many proxies.
-- include names replay events
--
-- GUARANTEE  One event an export, written before anything is given; no password is part of it.
-- KEYS
--   all        zset    every proxy id at score 0
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   format     str
--   status     str     the filters, '' for any
--   group      str
--   protocol   str
-- RETURNS
--   OK         number of proxies in the pool

local prior = replayed()
if prior then return prior end
local total = call('ZCARD', K.all)
emit('export.made', 'warning', {format = A.format, secrets = 1, total = total, status = A.status, group = A.group,
  protocol = A.protocol})
return done({'OK', total})
