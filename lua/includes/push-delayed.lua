--- @include "delayed-score"
--- @include "emit"
--- @include "wake-delay"
-- Puts a job into delayed until `due` (epoch ms) and tells of it.
local function pushDelayed(q, id, due)
  redis.call('ZADD', q.delayed, delayedScore(q, due), id)
  emit(q, 'delayed', 'jobId', id, 'delay', string.format('%d', due))
  wakeDelay(q)
end
