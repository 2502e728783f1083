--- @include "read-meta"
-- The list that new ready jobs enter: `wait`, but `paused` while the queue is paused and a v5 client has parked its jobs there (its
-- resume would destroy what is in `wait`).
local function readyList(q)
  readMeta(q)
  if q.isPaused and redis.call('EXISTS', q.paused) == 1 then return q.paused end
  return q.wait
end
