-- quarantine: put a proxy that nobody holds under probation, which doubles each time until it is seen applied again.
-- include names replay events proxies
--
-- GUARANTEE  A held proxy is refused: it has to be rotated away first. A longer quarantine or rest is never shortened.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   reason     str
--   probation_ms int   ms: the first probation; the n-th lasts 2^(n-1) times that, at most 30 days
-- RETURNS
--   OK         end of the probation, strikes
--   UNKNOWN_PROXY
--   HELD       the proxy is used
--   DISABLED

local LONGEST_MS = 30 * 86400000

local prior = replayed()
if prior then return prior end
local proxy = load_hash(proxy_key(A.proxy))
if not proxy.status then return {'UNKNOWN_PROXY'} end
if proxy.status == 'used' then return {'HELD'} end
if proxy.status == 'disabled' then return {'DISABLED'} end

local strikes = number(proxy.strikes) + 1
local until_ms = A.now_ms + math.min(A.probation_ms * 2 ^ (strikes - 1), LONGEST_MS)
call('HSET', proxy_key(A.proxy), 'strikes', strikes)
until_ms = math.max(until_ms, number(proxy.available_at))
if until_ms >= NEVER then return done({'OK', proxy.available_at, strikes}) end
forget_keeping(A.proxy, proxy)
quarantine(A.proxy, proxy, A.reason, until_ms)
emit('proxy.quarantined', 'warning', {proxy = A.proxy, reason = A.reason, strikes = strikes, ['until'] = proxy.available_at})
return done({'OK', proxy.available_at, strikes})
