-- disable: set isActive=false; a held proxy drains.
-- include names replay events proxies
--
-- GUARANTEE  No lease ends here. Sending it again changes nothing.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   reason     str
-- RETURNS
--   OK         status
--   UNKNOWN_PROXY

local prior = replayed()
if prior then return prior end
local proxy = load_hash(proxy_key(A.proxy))
if not proxy.status then return {'UNKNOWN_PROXY'} end
if proxy.active == '1' then drain(A.proxy, proxy, A.reason) end
return done({'OK', proxy.status})
