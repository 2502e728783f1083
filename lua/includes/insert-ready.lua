--- @include "emit"
--- @include "push-delayed"
--- @include "push-prioritized"
--- @include "push-wait"
-- Puts a stored job where its delay, priority and `lifo` say, and tells of it.
local function insertReady(q, job)
  if job.delay > 0 then
    pushDelayed(q, job.id, job.timestamp + job.delay)
    return
  end
  if job.priority > 0 then pushPrioritized(q, job.priority, job.id) else pushWait(q, job.lifo and 'R' or 'L', job.id) end
  emit(q, 'waiting', 'jobId', job.id)
end
