--- @include "queue-of-meta"
--- @include "schedules-job"
--- @include "wipe-job"
--[[ drain-jobs: removes up to 500 jobs of one state that have not started. The next iterations of schedulers stay.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] state  wait, paused, prioritized or delayed
  ARGV[2] skip   ids at the end that runs first which earlier calls have kept

  Returns { removed, kept, left }: kept of those this call looked at; left: 1 when there are more to look at
  Cost    O(500), and O(list x removed) where iterations stand in a list ]]
local q, state, skip = queueOfMeta(KEYS[1]), ARGV[1], tonumber(ARGV[2])
local key, isList = q[state], state == 'wait' or state == 'paused'
local ids = isList and redis.call('LRANGE', key, -(skip + 500), -(skip + 1)) or redis.call('ZRANGE', key, skip, skip + 499)
local hasSchedulers = redis.call('EXISTS', q['repeat']) == 1
local gone = {}
for _, id in ipairs(ids) do
  if not (hasSchedulers and schedulesJob(q, id, redis.call('HGET', q.base .. id, 'rjk'))) then gone[#gone + 1] = id end
end
if #gone == 0 then return { 0, #ids, #ids == 500 and 1 or 0 } end
if not isList then
  redis.call('ZREM', key, unpack(gone))
elseif #gone == #ids and skip == 0 then
  redis.call('LTRIM', key, 0, -(#ids + 1))
else
  for _, id in ipairs(gone) do redis.call('LREM', key, -1, id) end
end
for _, id in ipairs(gone) do wipeJob(q, id) end
return { #gone, #ids - #gone, #ids == 500 and 1 or 0 }
