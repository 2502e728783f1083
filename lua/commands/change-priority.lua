--- @include "push-prioritized"
--- @include "push-wait"
--- @include "queue-of-meta"
--- @include "take-waiting"
--[[ change-priority: gives a job another priority; a ready one moves to where that puts it.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] priority  0: none
  ARGV[3] lifo      1: in front of those of its priority; 0: behind them

  Returns 0, or -1 when the job does not exist
  Cost    O(log prioritized), O(wait) when the job stands in a list ]]
local q, id = queueOfMeta(KEYS[1]), ARGV[1]
local key, priority, isLifo = q.base .. id, tonumber(ARGV[2]), ARGV[3] == '1'
if redis.call('EXISTS', key) == 0 then return -1 end
if redis.call('ZREM', q.prioritized, id) == 1 or takeWaiting(q, id) then
  if priority == 0 then
    pushWait(q, isLifo and 'R' or 'L', id)
  elseif isLifo then
    redis.call('ZADD', q.prioritized, priority * 4294967296, id)
  else
    pushPrioritized(q, priority, id)
  end
end
redis.call('HSET', key, 'priority', ARGV[2])
return 0
