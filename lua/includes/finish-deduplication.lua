--- @include "requeue-deduplicated"
-- Frees the deduplication id of a job that finished, unless a time to live keeps it, and adds the job that was kept back for it.
local function finishDeduplication(q, id, deduplicationId, now)
  local key = q.base .. 'de:' .. deduplicationId
  local owner = redis.call('GET', key)
  if owner == id and redis.call('PTTL', key) <= 0 then
    redis.call('DEL', key)
    owner = false
  end
  if not owner then requeueDeduplicated(q, deduplicationId, now) end
end
