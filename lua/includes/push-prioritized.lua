--- @include "wake"
-- Adds a job behind those of its priority.
local function pushPrioritized(q, priority, id)
  local turn = redis.call('INCR', q.pc) % 4294967296
  redis.call('ZADD', q.prioritized, priority * 4294967296 + turn, id)
  wake(q)
end
