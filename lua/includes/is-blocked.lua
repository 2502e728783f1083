--- @include "read-meta"
-- No job may start now: the queue is paused, or as many jobs are active as its global concurrency allows.
local function isBlocked(q)
  readMeta(q)
  if q.isPaused then return true end
  return q.concurrency ~= nil and redis.call('LLEN', q.active) >= q.concurrency
end
