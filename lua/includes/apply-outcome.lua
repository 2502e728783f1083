--- @include "check-outcome"
--- @include "finish-job"
--- @include "return-job"
--- @include "take-active"
-- One outcome: checks, lock, active list, then the effects of its kind. Returns its status.
local OUTCOME_RECORD = { 'timestamp', 'parentKey', 'parent', 'deid', 'atm', 'finishedOn', 'priority', 'defa' }

local function applyOutcome(batch, outcome, now)
  local stored = redis.call('HMGET', outcome.key, unpack(OUTCOME_RECORD))
  local record = {
    timestamp = stored[1], parentKey = stored[2], parent = stored[3], deid = stored[4], atm = stored[5], finishedOn = stored[6],
    priority = stored[7], defa = stored[8],
  }
  local status = checkOutcome(batch, outcome, record)
  if status ~= 0 then return status end
  if outcome.token ~= '0' then
    batch.released[outcome.id] = true
    batch.gone[#batch.gone + 1] = outcome.lockKey
    batch.unstalled[#batch.unstalled + 1] = outcome.id
  end
  if not takeActive(batch.q, batch.removal, outcome.id) then return -3 end
  batch.left = batch.left + 1
  if outcome.kind == 'complete' then
    finishJob(batch, outcome, record, 'completed')
  elseif outcome.kind == 'fail' then
    finishJob(batch, outcome, record, 'failed')
  else
    returnJob(batch, outcome, record, now)
  end
  return 0
end
