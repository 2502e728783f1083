--- @include "emit"
--- @include "wipe-job"
-- Takes a scheduler, known or not, out of `repeat`, with its definition and the iteration that waits for its time. One that is ready or
-- active already runs, without a successor. Returns whether there was one.
local function removeSchedule(q, scheduler)
  local last = redis.call('ZSCORE', q['repeat'], scheduler)
  local isDefined = redis.call('DEL', q['repeat'] .. ':' .. scheduler) == 1
  if not last then return isDefined end
  redis.call('ZREM', q['repeat'], scheduler)
  local id = 'repeat:' .. scheduler .. ':' .. string.format('%d', tonumber(last))
  if redis.call('ZREM', q.delayed, id) == 1 then
    wipeJob(q, id)
    emit(q, 'removed', 'jobId', id, 'prev', 'delayed')
  end
  return true
end
