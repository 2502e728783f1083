-- Looks for `ids` among the `window` oldest of the active list. Returns nil unless all are there, else { oldest (these ids), places (id ->
-- its place there), first (beyond the last place: none is taken yet) }.
local function findOldest(q, ids, window)
  local wanted, places, found = {}, {}, 0
  for _, id in ipairs(ids) do wanted[id] = true end
  local oldest = redis.call('LRANGE', q.active, -window, -1)
  for at = #oldest, 1, -1 do
    local id = oldest[at]
    if wanted[id] then
      places[id] = at
      found = found + 1
      if found == #ids then return { oldest = oldest, places = places, first = #oldest + 1 } end
    end
  end
  return nil
end
