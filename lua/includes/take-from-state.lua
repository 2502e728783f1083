--- @include "take-from-list"
-- Takes an id out of whichever state holds it. Returns that state, or 'unknown'.
local function takeFromState(q, id)
  if redis.call('ZREM', q.completed, id) == 1 then return 'completed' end
  if redis.call('ZREM', q.waitingChildren, id) == 1 then return 'waiting-children' end
  if redis.call('ZREM', q.delayed, id) == 1 then return 'delayed' end
  if redis.call('ZREM', q.failed, id) == 1 then return 'failed' end
  if redis.call('ZREM', q.prioritized, id) == 1 then return 'prioritized' end
  for _, name in ipairs({ 'wait', 'paused', 'active' }) do
    if takeFromList(q, name, id) then return name end
  end
  return 'unknown'
end
