--- @include "emit"
--- @include "insert-ready"
--- @include "store-job"
-- Adds the iteration of a scheduler that follows `producer` { name, data, opts, priority }, at `slot` (epoch ms). Nothing is added when
-- that iteration exists. opts is the decoded table of the producer's options; `isCron` notes the slot for the next one.
-- Returns the id of the iteration.
local function addIteration(q, scheduler, producer, slot, now, isCron)
  local at = string.format('%d', slot)
  local id = 'repeat:' .. scheduler .. ':' .. at
  if redis.call('EXISTS', q.base .. id) == 1 then
    emit(q, 'duplicated', 'jobId', id)
    return id
  end
  local definition = q['repeat'] .. ':' .. scheduler
  redis.call('ZADD', q['repeat'], at, scheduler)
  redis.call('HINCRBY', definition, 'ic', 1)
  redis.call('INCR', q.id)
  local template = redis.call('HMGET', definition, 'data', 'name')
  local opts, rule = producer.opts, producer.opts['repeat']
  local delay = math.max(0, slot - now)
  if type(rule) ~= 'table' then rule = {} end
  rule.count = (tonumber(rule.count) or 0) + 1
  opts['repeat'], opts.jobId, opts.repeatJobKey, opts.delay, opts.timestamp = rule, id, scheduler, delay, now
  if isCron then opts.prevMillis = slot end
  local job = {
    id = id, name = template[2] or producer.name, data = template[1] or producer.data, opts = cjson.encode(opts), timestamp = now,
    delay = delay, priority = tonumber(opts.priority) or 0, lifo = opts.lifo == true, rjk = scheduler,
  }
  storeJob(q, job)
  insertReady(q, job)
  return id
end
