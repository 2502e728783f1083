-- The state of a job, by the key that holds its id; first match in the order other clients test.
local function stateOf(q, id)
  if redis.call('ZSCORE', q.completed, id) then return 'completed' end
  if redis.call('ZSCORE', q.failed, id) then return 'failed' end
  if redis.call('ZSCORE', q.delayed, id) then return 'delayed' end
  if redis.call('ZSCORE', q.prioritized, id) then return 'prioritized' end
  if redis.call('LPOS', q.active, id) then return 'active' end
  if redis.call('LPOS', q.wait, id) or redis.call('LPOS', q.paused, id) then return 'waiting' end
  if redis.call('ZSCORE', q.waitingChildren, id) then return 'waiting-children' end
  return 'unknown'
end
