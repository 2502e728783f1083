-- Takes an id out of the ready lists, `wait` and what v5 clients parked in `paused`. Returns whether it was there.
local function takeWaiting(q, id)
  return redis.call('LREM', q.wait, 1, id) == 1 or redis.call('LREM', q.paused, 1, id) == 1
end
