-- Takes an id out of the active list, by the plan of `plan-removal`. Returns whether it was there. What a sweep overwrites an id with
-- begins with "0:", which every client skips and drops.
local function takeActive(q, plan, id)
  if plan.oldest then
    local at = plan.places[id]
    if not at then return false end
    plan.places[id] = nil
    plan.oldest[at] = false
    if at < plan.first then plan.first = at end
    return true
  end
  if not plan.indices then return redis.call('LREM', q.active, plan.count, id) > 0 end
  local index = plan.indices[id]
  if not index then return false end
  plan.indices[id] = nil
  plan.swept = plan.swept + 1
  redis.call('LSET', q.active, index, '0:swept')
  return true
end
