--- @include "emit"
-- A job whose deduplication id belongs to a job that is active: it is kept back, in place of one kept before, and added when the active
-- one finishes. Returns whether it was. A job that was never started (no processedOn) cannot be active.
local function keepLast(q, job, key, owner)
  if not redis.call('HGET', q.base .. owner, 'processedOn') or not redis.call('LPOS', q.active, owner) then return false end
  local nextKey = q.base .. 'dn:' .. job.deid
  redis.call('DEL', nextKey)
  redis.call('HMSET', nextKey, 'name', job.name, 'data', job.data, 'opts', job.opts, 'jid', job.id)
  redis.call('PERSIST', key)
  emit(q, 'deduplicated', 'jobId', owner, 'deduplicationId', job.deid, 'deduplicatedJobId', job.id)
  return true
end
