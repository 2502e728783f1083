--- @include "is-blocked"
-- Hints that `ready` jobs came at once: a hint for each, 16 at most, so that several idle workers wake together. Other clients look at
-- the score alone or take unknown members as ready.
local function wakeBurst(q, ready)
  if ready == 0 or isBlocked(q) then return end
  local hints = { 0, '0' }
  for nth = 2, math.min(ready, 16) do
    hints[#hints + 1] = 0
    hints[#hints + 1] = 'ready:' .. nth
  end
  redis.call('ZADD', q.marker, unpack(hints))
end
