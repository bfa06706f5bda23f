-- events: the audit trail, written in the same script as the change it tells of.
--
-- KEYS
--   meta       hash    epoch, seq: the next event's id; events_max; lost_first, lost_last; mirrored
--   events     stream  one entry an event, id <epoch>-<seq>
-- ARGV
--   now_ms     int     ms
--   actor      str     auto, webhook, cli:<user>, token:<name>, jwt:<sub>

local EVENTS_MAX = 1000000

-- True when event id a comes after event id b ('' is before all).
local function after(a, b)
  local a_epoch, a_seq = string.match(a, '^(%d+)-(%d+)$')
  local b_epoch, b_seq = string.match(b, '^(%d+)-(%d+)$')
  if not b_epoch then return true end
  a_epoch, b_epoch = tonumber(a_epoch), tonumber(b_epoch)
  if a_epoch ~= b_epoch then return a_epoch > b_epoch end
  return tonumber(a_seq) > tonumber(b_seq)
end

-- Begins a new epoch, later than the present one, than least and than any time so far.
local function new_epoch(least)
  local present = number(call('HGET', K.meta, 'epoch'))
  local epoch = string.format('%.0f', math.max(present + 1, least + 1, A.now_ms))
  call('HSET', K.meta, 'epoch', epoch, 'seq', 0)
  return epoch
end

-- Keeps the stream at its bound. What the mirror had not read is lost, and the first and last such id are kept.
local function bound()
  local most = number(call('HGET', K.meta, 'events_max'))
  if most < 1 then most = EVENTS_MAX end
  local surplus = call('XLEN', K.events) - most
  if surplus < 1 then return end
  local mirrored = call('HGET', K.meta, 'mirrored') or ''
  for _, entry in ipairs(call('XRANGE', K.events, '-', '+', 'COUNT', math.min(surplus, 16))) do
    if after(entry[1], mirrored) then
      call('HSETNX', K.meta, 'lost_first', entry[1])
      call('HSET', K.meta, 'lost_last', entry[1])
    end
    call('XDEL', K.events, entry[1])
  end
end

-- Appends one event. fields: a table of names to values; empty values are left out.
local function emit(type, level, fields)
  local epoch = call('HGET', K.meta, 'epoch')
  if not epoch then
    epoch = string.format('%.0f', A.now_ms)
    call('HSET', K.meta, 'epoch', epoch)
  end
  local seq = call('HINCRBY', K.meta, 'seq', 1)
  local entry = {'type', type, 'level', level, 'at', string.format('%.0f', A.now_ms), 'actor', A.actor}
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = tostring(fields[name])
    if value ~= '' then
      entry[#entry + 1] = name
      entry[#entry + 1] = value
    end
  end
  call('XADD', K.events, epoch .. '-' .. string.format('%.0f', seq), unpack(entry))
  bound()
end
