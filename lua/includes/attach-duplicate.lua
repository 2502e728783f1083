--- @include "emit"
--- @include "parent-of"
--- @include "release-if-done"
-- A custom id that is stored already: nothing of the second add is kept, except that the stored job may get the parent named now.
-- Returns the id, or -7 when it is the child of another parent that exists.
local function attachDuplicate(q, job, now)
  local key = q.base .. job.id
  local stored = redis.call('HMGET', key, 'parentKey', 'returnvalue')
  if stored[1] and stored[1] ~= job.parentKey and redis.call('EXISTS', stored[1]) == 1 then return -7 end
  if job.parentKey then
    if redis.call('ZSCORE', q.completed, job.id) then
      local parent = parentOf(q, job.parentKey, job.parent)
      redis.call('HSET', job.parentKey .. ':processed', key, stored[2] or 'null')
      releaseIfDone(parent.q, parent.id, now)
    else
      redis.call('SADD', job.parentKey .. ':dependencies', key)
    end
    redis.call('HMSET', key, 'parentKey', job.parentKey, 'parent', job.parent)
  end
  emit(q, 'duplicated', 'jobId', job.id)
  return job.id
end
