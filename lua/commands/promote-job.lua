--- @include "emit"
--- @include "push-prioritized"
--- @include "push-wait"
--- @include "queue-of-meta"
--[[ promote-job: makes a delayed job ready now.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id

  Returns 0, or -3 when the job is not delayed
  Events  waiting
  Cost    O(log delayed) ]]
local q, id = queueOfMeta(KEYS[1]), ARGV[1]
if redis.call('ZREM', q.delayed, id) == 0 then return -3 end
local key = q.base .. id
local priority = tonumber(redis.call('HGET', key, 'priority') or nil) or 0
if priority > 0 then pushPrioritized(q, priority, id) else pushWait(q, 'L', id) end
emit(q, 'waiting', 'jobId', id, 'prev', 'delayed')
redis.call('HSET', key, 'delay', 0)
return 0
