-- mirrored: the mirror holds every event up to a position: forget what it has no need to read again.
-- include names replay events
--
-- GUARANTEE  No event after the position goes. Of the position's own epoch the last keep events before it stay too, in
--            case SQL falls back behind it, but at most a tenth of the stream's bound. What was lost is forgotten once
--            the position has passed it, as it was reported by then.
-- KEYS
--   meta       hash    mirrored; epoch, seq: the newest event's id; events_max; lost_first, lost_last
--   events     stream  the audit trail
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   position   str     <epoch>-<seq>
--   keep       int     events
-- RETURNS
--   OK         number of events that went
--   BEHIND     id of the newest event, which the position lies after: Redis has lost writes

local prior = replayed()
if prior then return prior end
local epoch, seq = string.match(A.position, '^(%d+)-(%d+)$')
if not epoch then return redis.error_reply('BADARG position') end
local known = call('HMGET', K.meta, 'epoch', 'seq', 'lost_last', 'events_max')
local newest = (known[1] or '0') .. '-' .. (known[2] or '0')
if after(A.position, newest) then return {'BEHIND', newest} end

local most = number(known[4])
local keep = math.min(A.keep, math.floor((most < 1 and EVENTS_MAX or most) / 10))
call('HSET', K.meta, 'mirrored', A.position)
if known[3] and not after(known[3], A.position) then call('HDEL', K.meta, 'lost_first', 'lost_last') end
local oldest = epoch .. '-' .. string.format('%.0f', math.max(tonumber(seq) - keep, 0) + 1)
return done({'OK', call('XTRIM', K.events, 'MINID', '=', oldest)})
