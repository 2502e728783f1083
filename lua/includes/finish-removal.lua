-- Removes what `take-active` has taken or overwritten. Nothing may be pushed to active before.
local function finishRemoval(q, plan)
  local oldest = plan.oldest
  if oldest and plan.first <= #oldest then
    redis.call('RPOP', q.active, #oldest - plan.first + 1)
    local kept = {}
    for at = plan.first, #oldest do
      if oldest[at] then kept[#kept + 1] = oldest[at] end
    end
    if #kept > 0 then redis.call('RPUSH', q.active, unpack(kept)) end
  elseif plan.indices and plan.swept > 0 then
    redis.call('LREM', q.active, 0, '0:swept')
  end
end
