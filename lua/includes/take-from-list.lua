-- Takes an id out of one of the lists of a queue, wherever it stands. Returns whether it stood there. In a list that is being swept
-- (`plan-sweeps`) it is overwritten in its place, for `finish-sweeps` to remove.
local function takeFromList(q, name, id)
  local sweep = q.sweeps and q.sweeps[name]
  if not sweep or q.pushed[id] then return redis.call('LREM', q[name], 0, id) > 0 end
  local places = sweep.places[id]
  if not places then return false end
  for _, at in ipairs(places) do redis.call('LSET', q[name], at, '0:swept') end
  sweep.places[id], sweep.swept = nil, sweep.swept + #places
  return true
end
