--- @include "place-parent"
-- A child with failParentOnFailure failed: the parent fails at its next activation, which comes at once if it waits for children or
-- for a time. An active parent is refused completion (-9).
local function failParent(parent, childKey, now)
  local pq, id = parent.q, parent.id
  redis.call('ZADD', parent.key .. ':unsuccessful', now, childKey)
  if redis.call('EXISTS', parent.key) == 0 then return end
  local reason = 'child ' .. childKey .. ' failed'
  if redis.call('ZREM', pq.waitingChildren, id) == 1 then
    redis.call('HSET', parent.key, 'defa', reason)
    placeParent(pq, id, now, 'waiting-children')
  elseif redis.call('ZREM', pq.delayed, id) == 1 then
    redis.call('HSET', parent.key, 'delay', 0, 'defa', reason)
    placeParent(pq, id, now, 'delayed')
  elseif not redis.call('ZSCORE', pq.failed, id) then
    redis.call('HSET', parent.key, 'defa', reason)
  end
end
