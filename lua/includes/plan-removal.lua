--- @include "choose-removal" rarely
--- @include "find-oldest"
-- Decides how `ids` are to leave the active list, from where the first of them stands. An id stands there once, so the end to search
-- from is free: oldest (-1) for jobs held long, newest (1) for jobs just taken. Jobs mostly end in about the order they began: when all are
-- among the oldest, they leave together.
-- Returns { oldest, places, first } (see find-oldest), { count } for LREM, or { indices } (id -> index) for a sweep; see `take-active` and
-- `finish-removal`.
local function planRemoval(q, ids)
  local length = redis.call('LLEN', q.active)
  local side, depth = -1, length
  if length > 128 then
    for _, rank in ipairs({ -1, 1 }) do
      local at = redis.call('LPOS', q.active, ids[1], 'RANK', rank, 'MAXLEN', 2000)
      if at then
        local passed = rank == 1 and at or length - 1 - at
        if passed < depth then side, depth = rank, passed end
      end
    end
  end
  local window = 4 * #ids
  local plan = #ids > 1 and side == -1 and (length <= window or depth < window) and findOldest(q, ids, window)
  if plan then return plan end
  if length <= 128 or chooseRemoval(length, #ids, depth) == 'lrem' then return { count = side } end
  local wanted, indices = {}, {}
  for _, id in ipairs(ids) do wanted[id] = true end
  for at, id in ipairs(redis.call('LRANGE', q.active, 0, -1)) do
    if wanted[id] then indices[id] = at - 1 end
  end
  return { indices = indices, swept = 0 }
end
