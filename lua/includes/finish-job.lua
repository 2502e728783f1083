--- @include "complete-child"
--- @include "detach-child"
--- @include "emit"
--- @include "fail-child"
--- @include "finish-deduplication"
--- @include "parse-keep"
-- What completing and failing have in common, in the order other clients have it: deduplication id, parent, record, event.
local function finishJob(batch, outcome, record, target)
  local q, id, key = batch.q, outcome.id, outcome.key
  local isFailed = target == 'failed'
  local value = isFailed and outcome.reason or outcome.value
  if record.deid then finishDeduplication(q, id, record.deid, outcome.at) end
  if record.parentKey then
    if isFailed then
      failChild(q, key, record.parentKey, record.parent, value, outcome.at)
    else
      completeChild(q, key, record.parentKey, record.parent, value, outcome.at)
    end
  end
  local attemptsMade = (tonumber(record.atm or nil) or 0) + 1
  if outcome.keep == '0' then
    for _, suffix in ipairs({ '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }) do
      batch.gone[#batch.gone + 1] = key .. suffix
    end
    if record.parentKey then detachChild(q, key, record.parentKey, record.parent) end
  elseif isFailed then
    redis.call('HMSET', key, 'failedReason', value, 'stacktrace', outcome.stacktrace, 'finishedOn', outcome.at, 'atm', attemptsMade)
    if record.defa then redis.call('HDEL', key, 'defa') end
    redis.call('ZADD', q.failed, outcome.at, id)
  else
    redis.call('HMSET', key, 'returnvalue', value, 'finishedOn', outcome.at, 'atm', attemptsMade)
    batch.done[#batch.done + 1] = outcome.at
    batch.done[#batch.done + 1] = id
  end
  if outcome.keep ~= '0' and outcome.keep ~= '-1' then
    local rule = batch.keeps[target .. outcome.keep] or { set = q[target], keep = parseKeep(outcome.keep), finished = 0 }
    rule.finished = rule.finished + 1
    batch.keeps[target .. outcome.keep] = rule
  end
  batch.finished[target] = batch.finished[target] + 1
  emit(q, target, 'jobId', id, isFailed and 'failedReason' or 'returnvalue', value, 'prev', 'active')
  if isFailed and attemptsMade >= tonumber(outcome.attempts) then
    emit(q, 'retries-exhausted', 'jobId', id, 'attemptsMade', attemptsMade)
  end
end
