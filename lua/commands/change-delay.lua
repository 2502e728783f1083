--- @include "push-delayed"
--- @include "queue-of-meta"
--- @include "trim-events"
--[[ change-delay: moves a delayed job to another time.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] now      integer, epoch ms
  ARGV[3] delayMs  from now

  Returns 0, -1 when the job does not exist, or -3 when it is not delayed
  Events  delayed
  Cost    O(log delayed) ]]
local q, id = queueOfMeta(KEYS[1]), ARGV[1]
local key = q.base .. id
if redis.call('EXISTS', key) == 0 then return -1 end
if redis.call('ZREM', q.delayed, id) == 0 then return -3 end
local delay = tonumber(ARGV[3])
redis.call('HSET', key, 'delay', ARGV[3])
pushDelayed(q, id, delay > 0 and tonumber(ARGV[2]) + delay or tonumber(ARGV[2]))
trimEvents(q)
return 0
