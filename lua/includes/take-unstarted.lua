--- @include "take-waiting"
-- Takes a job that has not started out of delayed, prioritized or the ready lists. Returns whether it was there.
local function takeUnstarted(q, id)
  return redis.call('ZREM', q.delayed, id) == 1 or redis.call('ZREM', q.prioritized, id) == 1 or takeWaiting(q, id)
end
