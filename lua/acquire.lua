-- acquire: choose a proxy for each instance that has none and record the lease, phase reserved.
-- include names replay events proxies leases instances gate choice
--
-- GUARANTEE  No proxy is given to two; one that a row of another instance names, or that this instance was rotated away
--            from, is not given. Oldest rested first, within the group asked for; what is remembered for a returning
--            number goes to that number first and to others last. A pin wins over rest and rotation, never over
--            exclusivity. Looks at a bounded number of candidates. The lease and its event keep why this proxy.
-- ARGV
--   now_ms     int     ms
--   op_id      str     replay: one id a call
--   actor      str
--   reason     str
--   server     str
--   human      flag    passes pause and brake
--   probe      flag    passes the set half of the brake once
--   item*      instance:str name:str owner:str disc_at:str opened:flag pin:str group:str strict:flag
-- RETURNS
--   OK         then three words an item: outcome, proxy, token; outcomes: LEASED, HELD, NO_PROXY_AVAILABLE, UNMANAGED,
--              UNKNOWN_PROXY, UNUSABLE, DISABLED, QUARANTINED, RESTING, HELD_ELSEWHERE
--   NOT_CONFIGURED server
--   NOT_RECONCILED server   this server has not been read completely in the pool's life and in this epoch
--   RESTORING
--   PAUSED
--   BRAKED     server

local prior = replayed()
if prior then return prior end
local closed = gate()
if closed then return closed end

local function lease_to(item, choice)
  local id = choice.id
  local proxy = load_hash(proxy_key(id))
  local lease = open_lease(id, proxy, A.server, item.instance, item.name, 'reserved', {
    'reason', A.reason, 'owner', item.owner, 'disc_at', item.disc_at, 'opened', flag(item.opened),
    'manual', flag(A.human), 'applied', 'no', 'chosen', choice.why, 'chosen_from', choice.from,
    'counts', choice.counts})
  if A.human then call('SREM', K.unmanaged, lease.holder) end
  tally(A.server, item.instance)
  tell_of(id, lease, 'lease.reserved', 'info', {reason = A.reason, chosen = choice.why, chosen_from = choice.from,
    counts = choice.counts})
  return 'LEASED', id, lease.token
end

local reply = {'OK'}
for _, item in ipairs(A.item) do
  local holder = holder_of(A.server, item.instance)
  local held = call('HGET', leases_key(A.server), item.instance)
  local word, id, token
  if held then
    word, id, token = 'HELD', held, call('HGET', lease_key(held), 'token')
  elseif not A.human and call('SISMEMBER', K.unmanaged, holder) == 1 then
    word = 'UNMANAGED'
  else
    local choice = choose(holder, item)
    if choice.id then word, id, token = lease_to(item, choice) else word = choice.refusal end
  end
  reply[#reply + 1] = word
  reply[#reply + 1] = id or ''
  reply[#reply + 1] = token or ''
end
return done(reply)
