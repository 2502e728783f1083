-- Whether a job stands in delayed, prioritized or one of the ready lists: what `take-unstarted` would take.
local function isUnstarted(q, id)
  if redis.call('ZSCORE', q.delayed, id) or redis.call('ZSCORE', q.prioritized, id) then return true end
  return redis.call('LPOS', q.wait, id) ~= false or redis.call('LPOS', q.paused, id) ~= false
end
