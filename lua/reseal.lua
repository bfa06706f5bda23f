-- reseal: put passwords under another encryption key, a page at a time, without changing them.
-- include names replay events sealing
--
-- GUARANTEE  A proxy is the same as before to everybody: no lease becomes outdated, no revision changes. A password that
--            somebody changed since it was read stays as it is. From begin to finish only this key seals, so after a walk
--            over all proxies between them no other one is needed. One event for all, at the end.
-- KEYS
--   meta       hash    keys, rotating; resealed: how many so far
--   events     stream  key.rotated
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   what       str     begin, page, finish
--   key        str     id of the key
--   known      str     with begin: ids of all keys at hand, blank between them
--   item*      id:str was:str secret:str fingerprint:str
-- RETURNS
--   OK         how many of these; with finish of all
--   WRONG_ENCRYPTION_KEY a key in use is not at hand
--   STALE      another key has begun, or this one has finished

local prior = replayed()
if prior then return prior end

local meta = load_hash(K.meta)
local key = meta.rotating or meta.keys
if A.what == 'begin' then
  for id in string.gmatch(meta.keys or '', '%S+') do
    if not among(A.known, id) then return {'WRONG_ENCRYPTION_KEY'} end
  end
  call('HSET', K.meta, 'rotating', A.key)
  if not among(meta.keys or '', A.key) then
    call('HSET', K.meta, 'keys', meta.keys and meta.keys .. ' ' .. A.key or A.key)
  end
  return done({'OK', 0})
end
if key ~= A.key then return {'STALE'} end

if A.what == 'page' then
  local count = 0
  for _, item in ipairs(A.item) do
    if call('HGET', proxy_key(item.id), 'secret') == item.was then
      call('HSET', proxy_key(item.id), 'secret', item.secret, 'fingerprint', item.fingerprint)
      count = count + 1
    end
  end
  if count > 0 then call('HINCRBY', K.meta, 'resealed', count) end
  return done({'OK', count})
end

if A.what ~= 'finish' then return redis.error_reply('BADARG what') end
local resealed = number(meta.resealed)
if resealed > 0 or meta.keys ~= A.key then emit('key.rotated', 'warning', {resealed = resealed}) end
call('HSET', K.meta, 'keys', A.key)
call('HDEL', K.meta, 'rotating', 'resealed')
return done({'OK', resealed})
