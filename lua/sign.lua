-- sign: what the live state of an instance says for or against the proxy of its lease.
-- include names replay events proxies leases instances
--
-- GUARANTEE  Only the active lease of this token, and only a reading that began after the lease last changed. The first
--            reading that is not open begins the trouble: each reconnect passes through close and connecting, so it
--            proves nothing yet. Each later one, gap_ms after the last that counted, is a sign, and so is a cure that
--            Evolution refused. close tells a reconnect loop, and that the socket of before is gone (down); connecting
--            does not: that attempt may have begun before the row was written. open ends the trouble, forgets its
--            signs, and an instance that waited for a human waits no more. Of the signs the last ones are kept.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   token      str
--   what       str     open, close, connecting; cure: the row is about to be written once more; refused: it was refused
--   seen_at    int     ms: when the reading began
--   gap_ms     int     ms
--   window_ms  int     ms: signs older than this are forgotten
--   most       int     signs to keep
-- RETURNS
--   OK         signs within the window
--   STALE      proxy, token of the present lease if any
--   STALE_SIGHT
--   WRONG_PHASE phase

local KNOWN = {open = true, close = true, connecting = true, cure = true, refused = true}

local prior = replayed()
if prior then return prior end
if not KNOWN[A.what] then return redis.error_reply('BADARG what') end
local lease, stale = lease_of(A.proxy, A.token)
if not lease then return stale end
if lease.phase ~= 'active' then return {'WRONG_PHASE', lease.phase} end
if number(lease.since) >= A.seen_at then return {'STALE_SIGHT'} end

local key, signs = lease_key(A.proxy), {}
for at in string.gmatch(lease.signs or '', '%d+') do
  if tonumber(at) > A.now_ms - A.window_ms then signs[#signs + 1] = at end
end

if A.what == 'open' then
  if lease.troubled_since or lease.spent == '1' then
    call('HDEL', key, 'troubled_since', 'signs', 'sign_at', 'looped', 'spent')
    tally(lease.server, lease.instance)
    if #signs > 0 or lease.spent == '1' then tell_of(A.proxy, lease, 'lease.recovered', 'info') end
  end
  return done({'OK', 0})
end

if A.what == 'cure' then
  call('HSET', key, 'cured_at', ms(A.now_ms))
  tell_of(A.proxy, lease, 'lease.cure', 'info', {signs = #signs})
  return done({'OK', #signs})
end

if A.what == 'close' then
  call('HSET', key, 'looped', '1')
  if lease.applied ~= 'yes' then call('HSET', key, 'down', '1') end
end
if A.what ~= 'refused' and not lease.troubled_since then
  call('HSET', key, 'troubled_since', ms(A.now_ms), 'sign_at', ms(A.now_ms))
elseif lease.troubled_since and (A.what == 'refused' or A.now_ms - number(lease.sign_at) >= A.gap_ms) then
  if not lease.signs then tell_of(A.proxy, lease, 'lease.troubled', 'warning', {state = A.what}) end
  signs[#signs + 1] = ms(A.now_ms)
  while #signs > A.most do table.remove(signs, 1) end
  call('HSET', key, 'signs', table.concat(signs, ','), 'sign_at', ms(A.now_ms))
end
return done({'OK', #signs})
