--- @include "erase-job"
--- @include "parent-of"
--- @include "push-wait"
--- @include "remove-deduplication"
-- The hard form of detaching, for jobs that are wiped in bulk: a parent in the same queue that waited for this child alone goes with it,
-- and its own parent likewise; one in another queue becomes ready, but tells nobody.
local function eraseParent(home, childKey, parentKey, parentJson)
  while parentKey do
    if redis.call('SREM', parentKey .. ':dependencies', childKey) == 0 then return end
    if redis.call('EXISTS', parentKey .. ':dependencies') == 1 then return end
    local parent = parentOf(home, parentKey, parentJson)
    if redis.call('ZREM', parent.q.waitingChildren, parent.id) == 0 then return end
    if parent.q ~= home then
      pushWait(parent.q, 'R', parent.id)
      return
    end
    local fields = redis.call('HMGET', parentKey, 'parentKey', 'parent', 'deid')
    if fields[3] then removeDeduplication(home, parent.id, fields[3]) end
    eraseJob(parentKey)
    childKey, parentKey, parentJson = parentKey, fields[1], fields[2]
  end
end
