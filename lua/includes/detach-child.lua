--- @include "emit"
--- @include "parent-of"
--- @include "push-wait"
-- Takes a child that is being erased out of its parent's pending ones (the soft form). A parent that waited for it alone is put in
-- front of wait; its delay and priority are not looked at. In a queue whose lists are being swept, that is noted.
local function detachChild(home, childKey, parentKey, parentJson)
  if redis.call('SREM', parentKey .. ':dependencies', childKey) == 0 then return end
  if redis.call('EXISTS', parentKey .. ':dependencies') == 1 then return end
  local parent = parentOf(home, parentKey, parentJson)
  if redis.call('ZREM', parent.q.waitingChildren, parent.id) == 1 then
    pushWait(parent.q, 'R', parent.id)
    if parent.q.sweeps then parent.q.pushed[parent.id] = true end
    emit(parent.q, 'waiting', 'jobId', parent.id, 'prev', 'waiting-children')
  end
end
