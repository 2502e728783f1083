--- @include "emit"
--- @include "push-prioritized"
--- @include "push-wait"
-- Moves jobs that are due by `now` from delayed to wait or prioritized, at most `limit`, earliest first. Ids without a record are
-- dropped. Returns how many became ready.
local function promoteDue(q, now, limit)
  local ids = redis.call('ZRANGEBYSCORE', q.delayed, '-inf', (now + 1) * 4096 - 1, 'LIMIT', 0, limit)
  if #ids == 0 then return 0 end
  redis.call('ZREM', q.delayed, unpack(ids))
  local promoted = 0
  for _, id in ipairs(ids) do
    local key = q.base .. id
    local stored = redis.call('HGET', key, 'priority')
    if stored or redis.call('EXISTS', key) == 1 then
      local priority = tonumber(stored or 0) or 0
      if priority > 0 then pushPrioritized(q, priority, id) else pushWait(q, 'L', id) end
      emit(q, 'waiting', 'jobId', id, 'prev', 'delayed')
      redis.call('HSET', key, 'delay', 0)
      promoted = promoted + 1
    end
  end
  return promoted
end
