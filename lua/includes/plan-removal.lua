--- @include "choose-removal" rarely
-- Decides how `ids` are to leave the active list, from where the first of them stands. An id stands there once, so the end to search
-- from is free: oldest (-1) for jobs held long, newest (1) for jobs just taken.
-- Returns { count } for LREM, or { indices } (id -> index) for a sweep; see `take-active` and `finish-removal`.
local function planRemoval(q, ids)
  local length = redis.call('LLEN', q.active)
  if length <= 128 then return { count = -1 } end
  local side, depth = -1, length
  for _, rank in ipairs({ -1, 1 }) do
    local at = redis.call('LPOS', q.active, ids[1], 'RANK', rank, 'MAXLEN', 2000)
    if at then
      local passed = rank == 1 and at or length - 1 - at
      if passed < depth then side, depth = rank, passed end
    end
  end
  if chooseRemoval(length, #ids, depth) == 'lrem' then return { count = side } end
  local wanted, indices = {}, {}
  for _, id in ipairs(ids) do wanted[id] = true end
  for at, id in ipairs(redis.call('LRANGE', q.active, 0, -1)) do
    if wanted[id] then indices[id] = at - 1 end
  end
  return { indices = indices, swept = 0 }
end
