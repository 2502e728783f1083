-- Reads the queue's configuration once per call: q.isPaused, q.concurrency, q.max, q.duration, q.maxEvents (nil where not set).
local function readMeta(q)
  if q.hasMeta then return end
  local fields = redis.call('HMGET', q.meta, 'paused', 'concurrency', 'max', 'duration', 'opts.maxLenEvents')
  q.hasMeta = true
  q.isPaused = fields[1] and true or false
  q.concurrency = tonumber(fields[2] or nil)
  q.max = tonumber(fields[3] or nil)
  q.duration = tonumber(fields[4] or nil)
  q.maxEvents = tonumber(fields[5] or nil)
end
