--- @include "decode-object"
--- @include "insert-ready"
--- @include "store-job"
-- Adds the job that was kept back while its deduplication id was active (`dn` hash), now that the active one has finished.
local function requeueDeduplicated(q, deduplicationId, now)
  local nextKey = q.base .. 'dn:' .. deduplicationId
  local fields = redis.call('HMGET', nextKey, 'name', 'data', 'opts', 'jid', 'pk', 'pd', 'pdk', 'rjk')
  if not fields[1] then return end
  local opts = decodeObject(fields[3])
  local counter = redis.call('INCR', q.id)
  local job = {
    id = (fields[4] and fields[4] ~= '') and fields[4] or tostring(counter),
    name = fields[1], data = fields[2] or '{}', opts = fields[3] or '{}', timestamp = now,
    delay = tonumber(opts.delay) or 0, priority = tonumber(opts.priority) or 0, lifo = opts.lifo == true,
    parentKey = fields[5] or nil, parent = fields[6] or '{}', rjk = fields[8] or nil, deid = deduplicationId,
  }
  redis.call('SET', q.base .. 'de:' .. deduplicationId, job.id)
  storeJob(q, job)
  insertReady(q, job)
  if fields[7] then redis.call('SADD', fields[7], q.base .. job.id) end
  redis.call('DEL', nextKey)
end
