--- @include "emit"
--- @include "erase-job"
--- @include "keep-last"
--- @include "push-delayed"
--- @include "set-deduplication"
-- Decides about a job that carries a deduplication id. Returns nil when it is to be added, having made it the owner of that id; else the
-- id of the owner, which stands for it. job.deduplication: { ttl, extends, replaces, reschedules, keepsLast }.
local function deduplicateJob(q, job)
  local rule, key = job.deduplication, q.base .. 'de:' .. job.deid
  local owner = redis.call('GET', key)
  if not owner then
    setDeduplication(key, job.id, rule)
    return nil
  end
  if rule.replaces and redis.call('ZREM', q.delayed, owner) == 1 then
    eraseJob(q.base .. owner)
    emit(q, 'removed', 'jobId', owner, 'prev', 'delayed')
    emit(q, 'deduplicated', 'jobId', job.id, 'deduplicationId', job.deid, 'deduplicatedJobId', owner)
    redis.call('DEL', q.base .. 'dn:' .. job.deid)
    if rule.ttl > 0 and not rule.extends and not rule.keepsLast then
      redis.call('SET', key, job.id, 'KEEPTTL')
    else
      setDeduplication(key, job.id, rule)
    end
    return nil
  end
  if redis.call('EXISTS', q.base .. owner) == 0 and redis.call('PTTL', key) == -1 then -- its owner was lost: it would block for ever
    redis.call('DEL', key, q.base .. 'dn:' .. job.deid)
    setDeduplication(key, job.id, rule)
    return nil
  end
  if rule.keepsLast and keepLast(q, job, key, owner) then return owner end
  if rule.replaces then return owner end
  if rule.extends and rule.ttl > 0 then setDeduplication(key, owner, rule) end
  emit(q, 'deduplicated', 'jobId', owner, 'deduplicationId', job.deid, 'deduplicatedJobId', job.id)
  if rule.reschedules and redis.call('ZSCORE', q.delayed, owner) then
    redis.call('HSET', q.base .. owner, 'delay', job.delay)
    pushDelayed(q, owner, job.timestamp + job.delay)
  end
  return owner
end
