--- @include "attach-duplicate" rarely
--- @include "deduplicate-job" rarely
--- @include "emit"
--- @include "push-delayed" rarely
--- @include "push-prioritized" rarely
--- @include "store-job"
-- Adds one job, whose parent is known to exist, to a queue whose adds are open: stores it and puts it into its state; a plain one is noted
-- for `list-adds`. Returns its id, or that of the job which stands for it, or -7 when it is stored as the child of another parent.
-- job.isCustom: its id may be stored already. job.isParent: it begins by waiting for children. `isFlow`: parents are released when all jobs of the call are in.
local function admitJob(q, job, isFlow, now)
  if job.isCustom and redis.call('EXISTS', q.base .. job.id) == 1 then return attachDuplicate(q, job, isFlow, now) end
  local owner = job.deid and deduplicateJob(q, job)
  if owner then return owner end
  storeJob(q, job)
  if job.isParent then
    redis.call('ZADD', q.waitingChildren, job.timestamp, job.id)
    emit(q, 'waiting-children', 'jobId', job.id)
  elseif job.delay > 0 then
    pushDelayed(q, job.id, job.timestamp + job.delay)
  else
    q.ready = q.ready + 1
    if job.priority > 0 then
      pushPrioritized(q, job.priority, job.id)
    else
      local side = job.lifo and q.rights or q.lefts
      side[#side + 1] = job.id
    end
    emit(q, 'waiting', 'jobId', job.id)
  end
  if job.parentKey then redis.call('SADD', job.parentKey .. ':dependencies', q.base .. job.id) end
  return job.id
end
