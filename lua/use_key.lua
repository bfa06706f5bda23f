-- use_key: begin to use the pool with these encryption keys.
-- include names replay events sealing
--
-- GUARANTEE  Whoever is answered OK can open every password that is there. What it seals nobody is answered OK to who
--            can't open it.
-- KEYS
--   meta       hash    keys, rotating
--   events     stream  key.added, once a key
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   key        str     id of the key that seals
--   known      str     ids of all keys at hand, blank between them
-- RETURNS
--   OK         ids in use beside key, blank between them
--   WRONG_ENCRYPTION_KEY how many keys in use are not at hand
--   ROTATING   all passwords are being put under another key

local prior = replayed()
if prior then return prior end

local meta = load_hash(K.meta)
local others, missing = {}, 0
for id in string.gmatch(meta.keys or '', '%S+') do
  if not among(A.known, id) then missing = missing + 1 end
  if id ~= A.key then others[#others + 1] = id end
end
if missing > 0 then return {'WRONG_ENCRYPTION_KEY', tostring(missing)} end
if meta.rotating and meta.rotating ~= A.key then return {'ROTATING'} end
if not among(meta.keys or '', A.key) then
  call('HSET', K.meta, 'keys', meta.keys and meta.keys .. ' ' .. A.key or A.key)
  emit('key.added', 'info', {encrypts = flag(A.key ~= 'plain')})
end
return done({'OK', table.concat(others, ' ')})
