--- @include "parent-of"
--- @include "release-if-done"
-- Tells the parent that a child completed: its value is recorded, and the last one ends the parent's wait.
local function completeChild(home, childKey, parentKey, parentJson, value, now)
  if redis.call('SREM', parentKey .. ':dependencies', childKey) == 0 then return end
  local parent = parentOf(home, parentKey, parentJson)
  redis.call('HSET', parentKey .. ':processed', childKey, value)
  releaseIfDone(parent.q, parent.id, now)
end
