--- @include "emit"
-- Writes the record of a new job and tells of it. job: id, name, data, opts (JSON), timestamp, delay, priority and, if any,
-- parentKey with parent (JSON), rjk, deid.
local function storeJob(q, job)
  local key = q.base .. job.id
  if job.parentKey then
    redis.call('HMSET', key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp, 'delay', job.delay,
      'priority', job.priority, 'parentKey', job.parentKey, 'parent', job.parent)
  else
    redis.call('HMSET', key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp, 'delay', job.delay,
      'priority', job.priority)
  end
  if job.rjk then redis.call('HSET', key, 'rjk', job.rjk) end
  if job.deid then redis.call('HSET', key, 'deid', job.deid) end
  emit(q, 'added', 'jobId', job.id, 'name', job.name)
end
