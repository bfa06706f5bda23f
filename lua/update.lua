-- update: change what a human may change of a proxy: group, labels, expiry, password.
-- include names replay events proxies sealing
--
-- GUARANTEE  Keeps what the call does not name. With expected revs, changes nothing if it is none of them by now.
-- KEYS
--   expiring   zset    proxies with an expiry, by it in ms
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   proxy      str
--   rev        str     expected revisions with commas between them, '' for any
--   key        str     id of the key that the secret is sealed with
--   secret     str     the password, sealed
--   fingerprints str   of it, by each known key; '' keeps the password
--   field*     name:str value:str
-- RETURNS
--   OK         rev
--   UNKNOWN_PROXY
--   REV_MISMATCH rev
--   WRONG_ENCRYPTION_KEY what this key seals could not be opened by all

local prior = replayed()
if prior then return prior end
local ALLOWED = {group = true, labels = true, expires_at = true}

local proxy = load_hash(proxy_key(A.proxy))
if not proxy.status then return {'UNKNOWN_PROXY'} end
local expected = A.rev == '' or string.find(',' .. A.rev .. ',', ',' .. proxy.rev .. ',', 1, true)
if not expected then return {'REV_MISMATCH', proxy.rev} end
for _, field in ipairs(A.field) do
  if not ALLOWED[field.name] then return redis.error_reply('BADARG field ' .. field.name) end
end
local other = A.fingerprints ~= '' and not same_password(proxy, A.fingerprints)
if other and not may_seal(A.key) then return {'WRONG_ENCRYPTION_KEY'} end

local changed = {}
for _, field in ipairs(A.field) do
  if (proxy[field.name] or '') ~= field.value then
    changed[#changed + 1] = field.name
    if field.name == 'group' then regroup(A.proxy, proxy, field.value) end
    if field.name == 'expires_at' then
      call('ZREM', K.expiring, A.proxy)
      if field.value ~= '' then call('ZADD', K.expiring, field.value, A.proxy) end
    end
    call('HSET', proxy_key(A.proxy), field.name, field.value)
  end
end
if other then
  changed[#changed + 1] = 'password'
  call('HSET', proxy_key(A.proxy), 'secret', A.secret, 'fingerprint', first_of(A.fingerprints))
  outdate(A.proxy)
end
if #changed == 0 then return done({'OK', proxy.rev}) end
call('HSET', proxy_key(A.proxy), 'updated_at', string.format('%.0f', A.now_ms))
local rev = call('HINCRBY', proxy_key(A.proxy), 'rev', 1)
emit('proxy.updated', 'info', {proxy = A.proxy, changed = table.concat(changed, ',')})
return done({'OK', string.format('%.0f', rev)})
