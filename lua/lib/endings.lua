-- endings: the end of a lease, and where its proxy goes.
--
-- ARGV
--   rest_ms    int     ms: at least as long does the proxy rest
--   rest_reason str    why, where the release gave none
--   settle_ms  int     ms: how long an unknown set may still land
--   memory_ms  int     ms: how long the proxy is kept for its number and its name; 0 not at all

-- Ends a lease on evidence (moved, gone, recreated, forced); answers its proxy as it is then. gone and recreated: the
-- instance does not exist any more, so its row names nothing, and the proxy rests even from a pin. forced: the proxy
-- stays quarantined until the row of its holder is seen naming something else. One that was rotated away on evidence goes
-- under probation.
local function end_lease(id, lease, evidence)
  lease.holder = holder_of(lease.server, lease.instance)
  local gone = evidence == 'gone' or evidence == 'recreated'
  if gone then see_row(lease.server, lease.instance, 'off') end
  close_lease(id, lease)
  local proxy = load_hash(proxy_key(id))
  local rest = math.max(A.rest_ms, number(lease.rest_ms))
  local at = A.now_ms + rest
  local unknown_at = lease.phase == 'reserved' and A.now_ms or sent_at(lease)
  local lands_until = unknown_at > 0 and unknown_at + A.settle_ms or 0
  beware(id, proxy, lands_until)
  local probation = number(lease.probation_ms) > 0
  if probation then at = math.max(at, strike(id, proxy, number(lease.probation_ms))) end
  if gone then beware(id, proxy, at) end

  local reason = A.rest_reason ~= '' and A.rest_reason or lease.rest_reason or ''
  call('HSET', proxy_key(id), 'rest_reason', rest > 0 and reason or '', 'last_holder', lease.holder)
  if A.memory_ms > 0 and lease.tail ~= '1' and not lease.reservation and evidence ~= 'forced' then
    -- The number may have been paired after the lease was made.
    local phone = call('HGET', instance_key(lease.holder), 'owner') or ''
    if phone == '' then phone = lease.owner or '' end
    keep_for(id, proxy, owners_of(lease.server, lease.name, phone), A.now_ms + A.memory_ms)
  end
  if evidence == 'forced' then
    await_row(id, lease.holder)
    call('HSET', proxy_key(id), 'rest_until', ms(math.max(rest_of(proxy), at)))
    quarantine(id, proxy, 'forced', NEVER)
  elseif lands_until > at then
    quarantine(id, proxy, 'set_unknown', lands_until)
  elseif probation and proxy.active ~= '0' and not in_other_rows(id) then
    quarantine(id, proxy, lease.release_reason, at)
    emit('proxy.quarantined', 'warning',
      {proxy = id, reason = lease.release_reason, strikes = proxy.strikes, ['until'] = proxy.available_at})
  else
    settle(id, proxy, at)
  end
  tally(lease.server, lease.instance)
  tell_of(id, lease, 'lease.released', evidence == 'forced' and 'warning' or 'info',
    {reason = lease.release_reason or evidence, evidence = evidence, status = proxy.status})
  return proxy
end
