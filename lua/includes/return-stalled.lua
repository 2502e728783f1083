--- @include "emit"
--- @include "push-wait"
-- The stalled rule: a job whose holder is gone is counted, marked to fail at its next start when it stalled too often (unless a living
-- scheduler depends on it), and goes to the front of wait whatever its priority. The caller has taken it out of active.
local function returnStalled(q, id, maxStalled)
  local key = q.base .. id
  if redis.call('EXISTS', key) == 0 then return false end
  if redis.call('HINCRBY', key, 'stc', 1) > maxStalled then
    local scheduler = redis.call('HGET', key, 'rjk')
    local isScheduled = scheduler
      and (redis.call('EXISTS', q['repeat'] .. ':' .. scheduler) == 1 or redis.call('ZSCORE', q['repeat'], scheduler))
    if not isScheduled then redis.call('HSET', key, 'defa', 'job stalled more than allowable limit') end
  end
  pushWait(q, 'R', id)
  emit(q, 'waiting', 'jobId', id, 'prev', 'active')
  emit(q, 'stalled', 'jobId', id)
  return true
end
