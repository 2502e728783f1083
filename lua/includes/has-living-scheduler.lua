-- Whether the job's scheduler is still there: failing such a job unrun could end the schedule on clients that add the next job at the start.
local function hasLivingScheduler(q, key)
  local scheduler = redis.call('HGET', key, 'rjk')
  if not scheduler then return false end
  return redis.call('EXISTS', q['repeat'] .. ':' .. scheduler) == 1 or redis.call('ZSCORE', q['repeat'], scheduler) ~= false
end
