-- Frees the deduplication id of a job that is removed, with what was kept back for it.
local function removeDeduplication(q, id, deduplicationId)
  local key = q.base .. 'de:' .. deduplicationId
  if redis.call('GET', key) == id then redis.call('DEL', key, q.base .. 'dn:' .. deduplicationId) end
end
