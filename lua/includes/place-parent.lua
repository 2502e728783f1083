--- @include "emit"
--- @include "push-prioritized"
--- @include "push-wait"
--- @include "wake-delay"
-- Puts a parent that waits for nothing any more where its delay and priority say. `prev` is the state it came from.
local function placeParent(pq, id, now, prev)
  local fields = redis.call('HMGET', pq.base .. id, 'delay', 'priority')
  local delay, priority = tonumber(fields[1] or nil) or 0, tonumber(fields[2] or nil) or 0
  if delay > 0 then
    redis.call('ZADD', pq.delayed, (now + delay) * 4096, id)
    emit(pq, 'delayed', 'jobId', id, 'delay', string.format('%d', now + delay))
    wakeDelay(pq)
    return
  end
  if priority > 0 then pushPrioritized(pq, priority, id) else pushWait(pq, 'R', id) end
  emit(pq, 'waiting', 'jobId', id, 'prev', prev)
end
