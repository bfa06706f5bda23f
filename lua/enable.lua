-- enable: set isActive=true; a disabled proxy goes back, and rests as long as it had to.
-- include names replay events proxies
--
-- GUARANTEE  What the Evolution API can't use stays disabled. A proxy that a row names is kept back. Sending it again
--            changes nothing.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
-- RETURNS
--   OK         status
--   UNKNOWN_PROXY
--   UNUSABLE   why

local prior = replayed()
if prior then return prior end
local proxy = load_hash(proxy_key(A.proxy))
if not proxy.status then return {'UNKNOWN_PROXY'} end
if proxy.unusable ~= '' then return {'UNUSABLE', proxy.unusable} end
if proxy.active == '1' then return done({'OK', proxy.status}) end
proxy.active = '1'
call('HSET', proxy_key(A.proxy), 'active', '1', 'disabled_reason', '')
call('HINCRBY', proxy_key(A.proxy), 'rev', 1)
if proxy.status == 'disabled' then settle(A.proxy, proxy, A.now_ms) end
emit('proxy.enabled', 'info', {proxy = A.proxy, status = proxy.status})
return done({'OK', proxy.status})
