--- @include "emit"
--- @include "has-living-scheduler"
--- @include "push-wait"
-- The stalled rule: a job whose holder is gone is counted, marked to fail at its next start when it stalled too often (unless a living
-- scheduler depends on it), and goes to the front of wait whatever its priority. The caller has taken it out of active.
local function returnStalled(q, id, maxStalled)
  local key = q.base .. id
  if redis.call('EXISTS', key) == 0 then return false end
  if redis.call('HINCRBY', key, 'stc', 1) > maxStalled and not hasLivingScheduler(q, key) then
    redis.call('HSET', key, 'defa', 'job stalled more than allowable limit')
  end
  pushWait(q, 'R', id)
  emit(q, 'waiting', 'jobId', id, 'prev', 'active')
  emit(q, 'stalled', 'jobId', id)
  return true
end
