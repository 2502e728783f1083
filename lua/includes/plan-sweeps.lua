--- @include "choose-removal"
-- Prepares taking `count` jobs out of a queue's ready lists, when it is cheaper to read a list once than to search it for each of them:
-- q.sweeps has name of the list -> { places: id -> its indices, swept: how many were overwritten }. See `take-from-list`. Until
-- `finish-sweeps`, ids may be pushed to the right ends only, and have to be noted in q.pushed.
local function planSweeps(q, count)
  q.sweeps, q.pushed = {}, {}
  for _, name in ipairs({ 'wait', 'paused' }) do
    local length = redis.call('LLEN', q[name])
    if length > 0 and chooseRemoval(length, count, length) == 'sweep' then
      local places = {}
      for first = 0, length - 1, 5000 do
        for nth, id in ipairs(redis.call('LRANGE', q[name], first, first + 4999)) do
          local known = places[id]
          if known then known[#known + 1] = first + nth - 1 else places[id] = { first + nth - 1 } end
        end
      end
      q.sweeps[name] = { places = places, swept = 0 }
    end
  end
end
