--- @include "evict-finished" rarely
--- @include "finish-removal"
--- @include "record-metrics" rarely
-- Writes what the outcomes of a call left noted: one command for all of them instead of one each. Retention is bounded by 100 jobs per
-- finish and 1000 per call.
local function closeBatch(batch, maxMetricsSize, now)
  local q = batch.q
  finishRemoval(q, batch.removal)
  if #batch.gone > 0 then redis.call('DEL', unpack(batch.gone)) end
  if #batch.unstalled > 0 then redis.call('SREM', q.stalled, unpack(batch.unstalled)) end
  if #batch.done > 0 then redis.call('ZADD', q.completed, unpack(batch.done)) end
  for _, rule in pairs(batch.keeps) do
    evictFinished(q, rule.set, rule.keep, now, math.min(1000, 100 * rule.finished))
  end
  if maxMetricsSize > 0 then
    for target, finished in pairs(batch.finished) do
      if finished > 0 then recordMetrics(q, target, finished, maxMetricsSize, now) end
    end
  end
end
