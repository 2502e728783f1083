--- @include "emit"
--- @include "parent-of"
--- @include "release-if-done"
-- A custom id that is stored already: nothing of the second add is kept, except that the stored job may get the parent named now.
-- The value of a completed one goes to that parent, whose wait may end with it; in a flow, `add-flow` looks after that. Returns the id, or
-- -7 when it is the child of another parent that exists.
local function attachDuplicate(q, job, isFlow, now)
  local key = q.base .. job.id
  local stored = redis.call('HMGET', key, 'parentKey', 'returnvalue')
  if stored[1] and stored[1] ~= job.parentKey and redis.call('EXISTS', stored[1]) == 1 then return -7 end
  if job.parentKey then
    if redis.call('ZSCORE', q.completed, job.id) then
      redis.call('HSET', job.parentKey .. ':processed', key, stored[2] or 'null')
      if not isFlow then
        local parent = parentOf(q, job.parentKey, job.parent)
        releaseIfDone(parent.q, parent.id, now)
      end
    else
      redis.call('SADD', job.parentKey .. ':dependencies', key)
    end
    redis.call('HMSET', key, 'parentKey', job.parentKey, 'parent', job.parent)
  end
  emit(q, 'duplicated', 'jobId', job.id)
  return job.id
end
