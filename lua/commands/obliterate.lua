--- @include "queue-of-meta"
--- @include "wipe-job"
--[[ obliterate: removes a paused queue, up to `count` jobs a call. What is left in the end: parents that wait for children, the rate limit
    counter, deduplication ids of jobs that were not removed.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] count  1..1000
  ARGV[2] force  1: active jobs, too; 0: refuse while there are any

  Returns 0 done; 1 there is more, call again; -1 the queue is not paused; -2 jobs are active
  Cost    O(count) ]]
local q, budget = queueOfMeta(KEYS[1]), tonumber(ARGV[1])
if redis.call('HEXISTS', q.meta, 'paused') == 0 then return -1 end
if ARGV[2] ~= '1' and redis.call('EXISTS', q.active) == 1 then return -2 end

local wipe = function(key, isList, hasLocks)
  if budget == 0 then return end
  local ids = redis.call(isList and 'LRANGE' or 'ZRANGE', key, 0, budget - 1)
  for _, id in ipairs(ids) do
    wipeJob(q, id)
    if hasLocks then redis.call('DEL', q.base .. id .. ':lock') end
  end
  if #ids > 0 then redis.call(isList and 'LTRIM' or 'ZREMRANGEBYRANK', key, isList and #ids or 0, isList and -1 or #ids - 1) end
  budget = budget - #ids
end

wipe(q.active, true, true)
wipe(q.delayed, false)
if budget > 0 then
  local schedulers = redis.call('ZRANGE', q['repeat'], 0, budget - 1)
  for _, id in ipairs(schedulers) do redis.call('DEL', q['repeat'] .. ':' .. id) end
  if #schedulers > 0 then redis.call('ZREM', q['repeat'], unpack(schedulers)) end
  budget = budget - #schedulers
end
wipe(q.completed, false)
wipe(q.wait, true)
wipe(q.paused, true)
wipe(q.prioritized, false)
wipe(q.failed, false)
if budget == 0 then return 1 end

redis.call('DEL', q.events, q.exits, q.returns, q.base .. 'delay', q.stalledCheck, q.stalled, q.id, q.pc, q.marker, q.meta,
  q.base .. 'metrics:completed', q.base .. 'metrics:completed:data', q.base .. 'metrics:failed', q.base .. 'metrics:failed:data')
return 0
