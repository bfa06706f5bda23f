-- sync: drain what an import in mode sync did not name: one bounded page.
-- include names replay events proxies
--
-- GUARANTEE  A held proxy keeps its lease and drains; any other one is disabled. What is disabled already stays as it
--            is. The pages together visit every proxy that was there before the import.
-- KEYS
--   all        zset    every proxy id at score 0, paged in lexical order
-- ARGV
--   now_ms     int     ms
--   op_id      str
--   actor      str
--   stamp      str     id of the import
--   cursor     str     '' to begin
--   limit      int     proxies to look at
-- RETURNS
--   OK         next cursor ('' at the end), number drained

local prior = replayed()
if prior then return prior end
local page = call('ZRANGEBYLEX', K.all, A.cursor == '' and '-' or '(' .. A.cursor, '+', 'LIMIT', 0, A.limit)
local drained = 0
for _, id in ipairs(page) do
  local proxy = load_hash(proxy_key(id))
  if proxy.stamp ~= A.stamp and proxy.active == '1' then
    drain(id, proxy, 'sync')
    drained = drained + 1
  end
end
return done({'OK', #page == A.limit and page[#page] or '', drained})
