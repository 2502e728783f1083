--- @include "fail-parent"
--- @include "parent-of"
--- @include "release-if-done"
--- @include "release-parent"
-- Tells the parent that a child failed for good, by the policy stored with the child. Without one the child stays pending, and the
-- parent waits until it is retried or removed.
local function failChild(home, childKey, parentKey, parentJson, reason, now)
  local parent = parentOf(home, parentKey, parentJson)
  if not (parent.fpof or parent.cpof or parent.idof or parent.rdof) then return end
  if redis.call('SREM', parentKey .. ':dependencies', childKey) == 0 then return end
  if parent.fpof then
    failParent(parent, childKey, now)
  elseif parent.cpof then
    redis.call('HSET', parentKey .. ':failed', childKey, reason)
    releaseParent(parent.q, parent.id, now)
  else
    releaseIfDone(parent.q, parent.id, now)
    if parent.idof then redis.call('HSET', parentKey .. ':failed', childKey, reason) end
  end
end
