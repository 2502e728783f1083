--- @include "emit"
--- @include "promote-due"
--- @include "push-delayed"
--- @include "push-prioritized"
--- @include "push-wait"
-- What the outcomes that do not finish a job have in common: it leaves active for wait, prioritized, delayed or waiting-children.
local function returnJob(batch, outcome, now)
  local q, id, key, kind = batch.q, outcome.id, outcome.key, outcome.kind
  local priority = tonumber(redis.call('HGET', key, 'priority') or nil) or 0
  if kind == 'delay' then
    if outcome.hasReason == '1' then redis.call('HMSET', key, 'failedReason', outcome.reason, 'stacktrace', outcome.stacktrace) end
    if outcome.counts == '1' then redis.call('HINCRBY', key, 'atm', 1) end
    redis.call('HSET', key, 'delay', outcome.delayMs)
    pushDelayed(q, id, tonumber(outcome.at) + tonumber(outcome.delayMs))
  elseif kind == 'retry' then
    if not batch.hasPromoted then
      batch.hasPromoted = true
      promoteDue(q, now, 200)
    end
    redis.call('HMSET', key, 'failedReason', outcome.reason, 'stacktrace', outcome.stacktrace)
    if priority > 0 then pushPrioritized(q, priority, id) else pushWait(q, outcome.lifo == '1' and 'R' or 'L', id) end
    redis.call('HINCRBY', key, 'atm', 1)
    emit(q, 'waiting', 'jobId', id, 'prev', 'active')
  elseif kind == 'wait' then
    batch.isRateLimited = batch.isRateLimited or outcome.isRateLimited
    if outcome.isCounted then
      if redis.call('HLEN', q.returns) > 20000 then redis.call('DEL', q.returns) end
      redis.call('HINCRBY', q.returns, (redis.call('HGET', key, 'timestamp') or '') .. ':' .. id, 1)
      redis.call('PEXPIRE', q.returns, 604800000)
    end
    if priority > 0 then redis.call('ZADD', q.prioritized, priority * 4294967296, id) else pushWait(q, 'R', id) end
    emit(q, 'waiting', 'jobId', id, 'prev', 'active')
  else
    redis.call('ZADD', q.waitingChildren, outcome.at, id)
    emit(q, 'waiting-children', 'jobId', id, 'prev', 'active')
  end
end
