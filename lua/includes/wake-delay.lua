--- @include "next-due-at"
-- Hints when the earliest delayed job is due. The score is a whole number: Elixir reads it as one.
local function wakeDelay(q)
  if q.defers then
    q.wantsWakeDelay = true
    return
  end
  local due = nextDueAt(q)
  if due > 0 then redis.call('ZADD', q.marker, due, '1') end
end
