--- @include "plan-removal"
-- Reads at once what all outcomes need, and makes the notes that `close-batch` writes: keys to delete, ids that are no longer stalled,
-- members of completed, retention rules to apply, counts.
local function openBatch(q, outcomes)
  local ids, lockKeys, childKeys = {}, {}, {}
  for nth, outcome in ipairs(outcomes) do
    ids[nth] = outcome.id
    lockKeys[nth] = outcome.lockKey
    if outcome.kind == 'complete' then
      childKeys[#childKeys + 1] = outcome.key .. ':dependencies'
      childKeys[#childKeys + 1] = outcome.key .. ':unsuccessful'
    end
  end
  local batch = { q = q, released = {}, gone = {}, unstalled = {}, done = {}, keeps = {}, left = 0, finished = { completed = 0, failed = 0 } }
  local locks = redis.call('MGET', unpack(lockKeys))
  for nth, outcome in ipairs(outcomes) do outcome.lock = locks[nth] end
  batch.hasChildren = #childKeys > 0 and redis.call('EXISTS', unpack(childKeys)) > 0
  batch.removal = planRemoval(q, ids)
  return batch
end
