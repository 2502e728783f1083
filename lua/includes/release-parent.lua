--- @include "place-parent"
-- Ends a parent's wait for its children, if it exists and does wait.
local function releaseParent(pq, id, now)
  if redis.call('EXISTS', pq.base .. id) == 0 then return end
  if redis.call('ZREM', pq.waitingChildren, id) == 1 then placeParent(pq, id, now, 'waiting-children') end
end
