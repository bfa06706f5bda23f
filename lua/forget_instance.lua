-- forget_instance: remove what is known of an instance that is proved gone and holds nothing.
-- include names replay events proxies instances
--
-- GUARANTEE  Refuses while the instance holds a lease or a tail. What its row named is no longer held back for it.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   instance   str
-- RETURNS
--   OK
--   HELD       proxy   the instance still holds it

local prior = replayed()
if prior then return prior end
local holder = holder_of(A.server, A.instance)
local held = call('HGET', leases_key(A.server), A.instance)
if held then return {'HELD', held} end

local record = load_hash(instance_key(holder))
see_row(A.server, A.instance, 'off')
if record.name then
  unlist(A.server, A.instance, record.name)
  count_state(A.server, record.state, -1)
  if call('HGET', names_key(A.server), record.name) == A.instance then
    call('HDEL', names_key(A.server), record.name)
  end
  emit('instance.gone', 'info', {server = A.server, instance = A.instance, name = record.name})
end
call('DEL', instance_key(holder), shunned_key(holder))
return done({'OK'})
