-- sealing: which encryption keys the pool's passwords are under. Keys are named by ids; 'plain' is that of none.
--
-- KEYS
--   meta       hash    keys: ids of those that may be needed to open a password, blank between them; rotating: the only
--                      one that may still seal, while all passwords are put under it

-- Whether id is one of ids, which have blanks between them.
local function among(ids, id)
  return string.find(' ' .. ids .. ' ', ' ' .. id .. ' ', 1, true) ~= nil
end

-- Whether what key seals can be opened by everybody who has the pool's keys. The first one of a pool becomes its key.
local function may_seal(key)
  local meta = call('HMGET', K.meta, 'keys', 'rotating')
  if meta[2] and meta[2] ~= key then return false end
  if meta[1] then return among(meta[1], key) end
  call('HSET', K.meta, 'keys', key)
  return true
end

-- Whether proxy (its loaded hash) has the password of these fingerprints: one by each key that its importer knows, the
-- first by the key that seals.
local function same_password(proxy, fingerprints)
  return (proxy.fingerprint or '') ~= '' and among(fingerprints, proxy.fingerprint)
end

local function first_of(fingerprints) return string.match(fingerprints, '^%S*') end
