-- explain: what acquire would answer to a wish now, and why.
-- include names events proxies gate choice
--
-- GUARANTEE  Reads only. The gate and the choice are those of acquire: sent next, with the same time, acquire answers the
--            same, unless the gate is closed.
-- KEYS
--   unmanaged  set     server/instance that policy leaves alone
-- ARGV
--   now_ms     int     ms
--   server     str
--   human      flag    passes pause and brake
--   probe      flag    passes the set half of the brake
--   instance   str
--   name       str
--   owner      str     digits of its phone number, '' while they are unknown
--   pin        str
--   group      str
--   strict     flag
-- RETURNS
--   OK         the word that closes the gate, its server ('' twice while it is open), then outcome, proxy, token, why,
--              group looked in, counts; gate: NOT_CONFIGURED, NOT_RECONCILED, RESTORING, PAUSED, BRAKED; outcome:
--              LEASED, HELD, NO_PROXY_AVAILABLE, UNMANAGED, UNKNOWN_PROXY, UNUSABLE, DISABLED, QUARANTINED, RESTING, HELD_ELSEWHERE

local closed = gate() or {'', ''}
local holder = holder_of(A.server, A.instance)
local held = call('HGET', leases_key(A.server), A.instance)
local word, id, token = 'HELD', held, ''
local choice = {why = '', from = '', counts = ''}
if held then
  token = call('HGET', lease_key(held), 'token')
elseif not A.human and call('SISMEMBER', K.unmanaged, holder) == 1 then
  word = 'UNMANAGED'
else
  choice = choose(holder, {name = A.name, owner = A.owner, pin = A.pin, group = A.group, strict = A.strict})
  id = choice.id
  if id then word = 'LEASED' else word = choice.refusal end
end
return {'OK', closed[1], closed[2] or '', word, id or '', token, choice.why, choice.from, choice.counts}
