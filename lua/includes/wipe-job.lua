--- @include "erase-job"
--- @include "erase-parent"
--- @include "remove-deduplication"
-- Erases a job that has left its state, the way bulk removals do: its parent's wait for it ends (the hard form), its deduplication id is
-- free, and nobody is told.
local function wipeJob(q, id)
  local key = q.base .. id
  local fields = redis.call('HMGET', key, 'parentKey', 'parent', 'deid')
  if fields[1] then eraseParent(q, key, fields[1], fields[2]) end
  if fields[3] then removeDeduplication(q, id, fields[3]) end
  eraseJob(key)
end
