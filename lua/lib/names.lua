-- names: the keys that belong to one proxy, lease, instance, server or group. All share the hash tag of KEYS[1].
--
-- KEYS
--   meta       hash    only its name is used here: all other names are built beside it

local call = redis.call
local root = string.sub(K.meta, 1, -1 - #'meta')

local function proxy_key(id) return root .. 'proxy:' .. id end
local function lease_key(id) return root .. 'lease:' .. id end
local function users_key(id) return root .. 'users:' .. id end
local function rest_key(id) return root .. 'rest:' .. id end
local function line_key(line, group) return root .. line .. ':' .. group end
local function server_key(server) return root .. 'server:' .. server end
local function refused_key(server) return root .. 'refused:' .. server end
local function leases_key(server) return root .. 'leases:' .. server end
local function tails_key(server) return root .. 'tails:' .. server end
local function names_key(server) return root .. 'names:' .. server end
local function instance_key(holder) return root .. 'instance:' .. holder end
local function shunned_key(holder) return root .. 'shunned:' .. holder end
local function rotated_key(holder) return root .. 'rotated:' .. holder end
local function forced_key(holder) return root .. 'forced:' .. holder end
local function session_key(session) return root .. 'session:' .. session end
local function job_key(job) return root .. 'job:' .. job end
local function owned_key(owner) return root .. 'owned:' .. owner end
local function op_key(op) return root .. 'op:' .. op end

-- The identity of an instance: server names hold no slash, so the first one separates.
local function holder_of(server, instance) return server .. '/' .. instance end
local function split_holder(holder) return string.match(holder, '^([^/]*)/(.*)$') end

local function flag(value) return value and '1' or '0' end
local function number(value) return tonumber(value or '') or 0 end

-- A hash as a table; empty when the key does not exist.
local function load_hash(key)
  local flat, hash = call('HGETALL', key), {}
  for i = 1, #flat, 2 do hash[flat[i]] = flat[i + 1] end
  return hash
end
