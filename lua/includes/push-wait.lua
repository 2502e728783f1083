--- @include "ready-list"
--- @include "wake"
-- Adds a job to the ready list; `side` L runs last, R runs next.
local function pushWait(q, side, id)
  redis.call(side == 'R' and 'RPUSH' or 'LPUSH', readyList(q), id)
  wake(q)
end
