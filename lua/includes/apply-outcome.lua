--- @include "check-outcome"
--- @include "finish-job"
--- @include "return-job" rarely
--- @include "take-active"
-- One outcome: checks, lock, active list, then the effects of its kind. Returns its status. Most outcomes complete a job that has no
-- parent and no earlier attempt, so no more of the record is read than they need; the rest follows where it is looked at.
local function applyOutcome(batch, outcome, now)
  local stored = redis.call('HMGET', outcome.key, 'timestamp', 'parentKey', 'deid', 'atm')
  outcome.parentKey, outcome.deid, outcome.atm = stored[2], stored[3], stored[4]
  local status = checkOutcome(batch, outcome, stored[1])
  if status ~= 0 then return status end
  if outcome.token ~= '0' then
    batch.released[outcome.id] = true
    batch.gone[#batch.gone + 1] = outcome.lockKey
    batch.unstalled[#batch.unstalled + 1] = outcome.id
  end
  if not takeActive(batch.q, batch.removal, outcome.id) then return -3 end
  batch.left = batch.left + 1
  if outcome.kind == 'complete' then
    finishJob(batch, outcome, 'completed')
  elseif outcome.kind == 'fail' then
    finishJob(batch, outcome, 'failed')
  else
    returnJob(batch, outcome, now)
  end
  return 0
end
