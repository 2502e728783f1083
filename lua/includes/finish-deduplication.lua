--- @include "requeue-deduplicated"
-- Frees the deduplication id of a job that finished, unless a time to live keeps it; a job that was kept back for it is added in any case.
local function finishDeduplication(q, id, deduplicationId, now)
  local key = q.base .. 'de:' .. deduplicationId
  if redis.call('GET', key) == id and redis.call('PTTL', key) <= 0 then redis.call('DEL', key) end
  requeueDeduplicated(q, deduplicationId, now)
end
