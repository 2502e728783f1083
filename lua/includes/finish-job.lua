--- @include "complete-child" rarely
--- @include "detach-child" rarely
--- @include "emit"
--- @include "fail-child" rarely
--- @include "finish-deduplication" rarely
--- @include "note-erased"
--- @include "parse-keep"
-- What completing and failing have in common, in the order other clients have it: deduplication id, parent, record, event. Numbers go to
-- Redis as the texts they came as: formatting them anew costs as much as a command.
local function finishJob(batch, outcome, target)
  local q, id, key, keep = batch.q, outcome.id, outcome.key, outcome.keep
  local isFailed = target == 'failed'
  local value = isFailed and outcome.reason or outcome.value
  if outcome.deid then finishDeduplication(q, id, outcome.deid, tonumber(outcome.at)) end
  local parentJson = outcome.parentKey and redis.call('HGET', key, 'parent')
  if outcome.parentKey and isFailed then
    failChild(q, key, outcome.parentKey, parentJson, value, tonumber(outcome.at))
  elseif outcome.parentKey then
    completeChild(q, key, outcome.parentKey, parentJson, value, tonumber(outcome.at))
  end
  local attemptsMade = outcome.atm and string.format('%d', tonumber(outcome.atm) + 1) or '1'
  if keep == '0' then
    noteErased(batch.gone, key)
    if outcome.parentKey then detachChild(q, key, outcome.parentKey, parentJson) end
  elseif isFailed then
    redis.call('HMSET', key, 'failedReason', value, 'stacktrace', outcome.stacktrace, 'finishedOn', outcome.at, 'atm', attemptsMade)
    redis.call('HDEL', key, 'defa')
    redis.call('ZADD', q.failed, outcome.at, id)
  else
    redis.call('HMSET', key, 'returnvalue', value, 'finishedOn', outcome.at, 'atm', attemptsMade)
    local done = batch.done
    done[#done + 1] = outcome.at
    done[#done + 1] = id
  end
  if keep ~= '0' and keep ~= '-1' then
    local name = target .. keep
    local rule = batch.keeps[name] or { set = q[target], keep = parseKeep(keep), finished = 0 }
    rule.finished = rule.finished + 1
    batch.keeps[name] = rule
  end
  batch.finished[target] = batch.finished[target] + 1
  if isFailed then
    emit(q, 'failed', 'jobId', id, 'failedReason', value, 'prev', 'active')
    if tonumber(attemptsMade) >= tonumber(outcome.attempts) then
      emit(q, 'retries-exhausted', 'jobId', id, 'attemptsMade', attemptsMade)
    end
  else
    emit(q, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
  end
end
