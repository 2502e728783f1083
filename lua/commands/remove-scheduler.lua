--- @include "emit"
--- @include "queue-of-meta"
--- @include "trim-events"
--- @include "wipe-job"
--[[ remove-scheduler: removes a job scheduler, or a repeatable job of version 5, with the iteration that waits for its time. One that is
    ready or active already runs, without a successor.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] scheduler  its id

  Returns 0, or 1 when there is none
  Events  removed
  Cost    O(log delayed) ]]
local q, scheduler = queueOfMeta(KEYS[1]), ARGV[1]
local last = redis.call('ZSCORE', q['repeat'], scheduler)
local isDefined = redis.call('DEL', q['repeat'] .. ':' .. scheduler) == 1
if not last then return isDefined and 0 or 1 end
redis.call('ZREM', q['repeat'], scheduler)
local id = 'repeat:' .. scheduler .. ':' .. string.format('%d', tonumber(last))
if redis.call('ZREM', q.delayed, id) == 1 then
  wipeJob(q, id)
  trimEvents(q)
  emit(q, 'removed', 'jobId', id, 'prev', 'delayed')
end
return 0
