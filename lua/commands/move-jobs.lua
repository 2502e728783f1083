--- @include "emit"
--- @include "queue-of-meta"
--- @include "ready-list"
--- @include "relink-parent"
--- @include "trim-events"
--- @include "wake-burst"
--[[ move-jobs: puts up to 1000 jobs of one state into wait, whatever their priority: retries finished jobs, promotes delayed ones.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] state  completed, failed or delayed
  ARGV[2] until  highest score to take, or +inf
  ARGV[3] count  1..1000

  Returns 1 when there is more to take, else 0
  Events  waiting per job
  Cost    O(count x log finished). Ids without a record are dropped. ]]
local q, state, count = queueOfMeta(KEYS[1]), ARGV[1], tonumber(ARGV[3])
local ids = redis.call('ZRANGEBYSCORE', q[state], '-inf', ARGV[2], 'LIMIT', 0, count)
if #ids == 0 then return 0 end
local ready = {}
for _, id in ipairs(ids) do
  local key = q.base .. id
  if redis.call('EXISTS', key) == 1 then
    if state ~= 'delayed' then
      redis.call('HDEL', key, 'finishedOn', 'processedOn', state == 'failed' and 'failedReason' or 'returnvalue')
      local parentKey = redis.call('HGET', key, 'parentKey')
      if parentKey then relinkParent(key, parentKey, state) end
    end
    emit(q, 'waiting', 'jobId', id, 'prev', state)
    ready[#ready + 1] = id
  end
end
redis.call('ZREM', q[state], unpack(ids))
if #ready > 0 then redis.call('LPUSH', readyList(q), unpack(ready)) end
wakeBurst(q, #ready)
trimEvents(q)
return #ids < count and 0 or 1
