--- @include "emit"
--- @include "queue-of-meta"
--- @include "wake-burst"
--- @include "wake-delay"
--[[ resume: ends a pause. Jobs that a v5 client parked in `paused` go back to wait, where they run next, in their order.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  Returns 1
  Events  resumed
  Cost    O(1); O(jobs in `paused`) when both lists hold jobs ]]
local q = queueOfMeta(KEYS[1])
redis.call('HDEL', q.meta, 'paused')
if redis.call('EXISTS', q.paused) == 1 and redis.call('RENAMENX', q.paused, q.wait) == 0 then
  local parked = redis.call('LRANGE', q.paused, 0, -1)
  for first = 1, #parked, 5000 do
    redis.call('RPUSH', q.wait, unpack(parked, first, math.min(first + 4999, #parked)))
  end
  redis.call('DEL', q.paused)
end
local ready = redis.call('LLEN', q.wait) + redis.call('ZCARD', q.prioritized)
if ready > 0 then wakeBurst(q, ready) else wakeDelay(q) end
emit(q, 'resumed')
return 1
