-- Removes what `take-active` has overwritten. Nothing may be pushed to active before.
local function finishRemoval(q, plan)
  if plan.indices and plan.swept > 0 then redis.call('LREM', q.active, 0, '0:swept') end
end
