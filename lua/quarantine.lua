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

local prior = replayed()
if prior then return prior end
local proxy = load_hash(proxy_key(A.proxy))
if not proxy.status then return {'UNKNOWN_PROXY'} end
if proxy.status == 'used' then return {'HELD'} end
if proxy.status == 'disabled' then return {'DISABLED'} end

local until_ms = math.max(strike(A.proxy, proxy, A.probation_ms), number(proxy.available_at))
if until_ms >= NEVER then return done({'OK', proxy.available_at, proxy.strikes}) end
forget_keeping(A.proxy, proxy)
quarantine(A.proxy, proxy, A.reason, until_ms)
emit('proxy.quarantined', 'warning',
  {proxy = A.proxy, reason = A.reason, strikes = proxy.strikes, ['until'] = proxy.available_at})
return done({'OK', proxy.available_at, proxy.strikes})
