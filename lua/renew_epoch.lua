-- renew_epoch: begin a new epoch when Redis may have lost writes since the present one began.
-- include names replay events
--
-- GUARANTEE  The epoch grows. While the life stays the same nothing changes, so every connection may send this before
--            its first command. In a new epoch acquire refuses until each server has been compared once.
-- KEYS
--   meta       hash    epoch, seq, life
--   events     stream  pool.created or pool.rewound
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   life       str     identifies what Redis can't outlive without possible loss: run id and replication id
--   behind     flag    1 when the caller knows that the pool is behind the mirror: renew in any case
-- RETURNS
--   OK         epoch   the life is the known one
--   RENEWED    epoch

local prior = replayed()
if prior then return prior end

local known = load_hash(K.meta)
if known.life == A.life and not A.behind then return done({'OK', known.epoch}) end

local epoch = new_epoch(0)
call('HSET', K.meta, 'life', A.life)
if known.life then
  emit('pool.rewound', 'warning', {previous = known.epoch or '', behind = flag(A.behind)})
else
  emit('pool.created', 'info', {})
end
return done({'RENEWED', epoch})
