-- Whether a job is the next iteration of a living scheduler: it must not be taken away, as the schedule would end with it.
-- `scheduler` is the `rjk` of its record, false for jobs of none.
local function schedulesJob(q, id, scheduler)
  if not scheduler then return false end
  local nextAt = redis.call('ZSCORE', q['repeat'], scheduler)
  return nextAt and id == 'repeat:' .. scheduler .. ':' .. string.format('%d', tonumber(nextAt))
end
