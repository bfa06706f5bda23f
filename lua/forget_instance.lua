-- forget_instance: remove what is known of an instance that is proved gone and holds nothing.
-- include names replay events proxies instances
--
-- GUARANTEE  Refuses while the instance holds a lease or a tail. What its row named is no longer held back for it.
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   server     str
--   instance   str
-- RETURNS
--   OK
--   HELD       proxy   the instance still holds it

local prior = replayed()
if prior then return prior end
local held = held_by(A.server, A.instance)
if held then return {'HELD', held} end
forget(A.server, A.instance)
return done({'OK'})
