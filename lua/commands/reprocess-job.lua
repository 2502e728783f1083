--- @include "emit"
--- @include "push-prioritized"
--- @include "push-wait"
--- @include "queue-of-meta"
--- @include "relink-parent"
--- @include "trim-events"
--[[ reprocess-job: a finished job runs again.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] state          completed or failed: where it has to be
  ARGV[3] lifo           1: it runs next; 0: last
  ARGV[4] resetAttempts  1: attempts made count from 0
  ARGV[5] resetStarts    1: attempts started count from 0

  Returns 1, -1 when the job does not exist, or -3 when it is not in the state
  Events  waiting
  Cost    O(log finished) ]]
local q, id, state = queueOfMeta(KEYS[1]), ARGV[1], ARGV[2]
local key = q.base .. id
if redis.call('EXISTS', key) == 0 then return -1 end
if redis.call('ZREM', q[state], id) == 0 then return -3 end
redis.call('HDEL', key, 'finishedOn', 'processedOn', state == 'failed' and 'failedReason' or 'returnvalue')
if ARGV[4] == '1' then redis.call('HDEL', key, 'atm') end
if ARGV[5] == '1' then redis.call('HDEL', key, 'ats') end
local fields = redis.call('HMGET', key, 'priority', 'parentKey')
local priority = tonumber(fields[1] or nil) or 0
if priority > 0 then pushPrioritized(q, priority, id) else pushWait(q, ARGV[3] == '1' and 'R' or 'L', id) end
if fields[2] then relinkParent(key, fields[2], state) end
emit(q, 'waiting', 'jobId', id, 'prev', state)
trimEvents(q)
return 1
