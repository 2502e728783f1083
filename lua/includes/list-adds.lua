--- @include "ready-list"
-- Puts the plain jobs that were noted into the ready list, in their order; a command takes 1000 of them.
local function listAdds(q)
  local target = readyList(q)
  for first = 1, #q.lefts, 1000 do
    redis.call('LPUSH', target, unpack(q.lefts, first, math.min(first + 999, #q.lefts)))
  end
  for first = 1, #q.rights, 1000 do
    redis.call('RPUSH', target, unpack(q.rights, first, math.min(first + 999, #q.rights)))
  end
end
