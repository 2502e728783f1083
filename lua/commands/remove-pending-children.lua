--- @include "detach-child"
--- @include "emit"
--- @include "erase-job"
--- @include "queue-at"
--- @include "queue-of-meta"
--- @include "remove-deduplication"
--- @include "split-job-key"
--- @include "take-from-state"
--- @include "trim-events"
--[[ remove-pending-children: removes the children that a job still waits for, with theirs; those being worked on and those that failed
    stay, and so do their ancestors up to the job. A call looks at up to 1000 of them, children before their parents.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id

  Returns 1; 2 call again: there are more; -12 there are more, but none of these could be removed
  Events  removed per job; waiting for the job itself when nothing is left to wait for
  Cost    O(family), and O(length) where a member stands in a list ]]
local q = queueOfMeta(KEYS[1])
local order, seen = {}, {}
local collect
collect = function(parentKey)
  for _, key in ipairs(redis.call('SMEMBERS', parentKey .. ':dependencies')) do
    if not seen[key] then
      seen[key] = true
      local base, id = splitJobKey(key)
      local queue = queueAt(q, base)
      if redis.call('EXISTS', key .. ':lock') == 0 and not redis.call('ZSCORE', queue.failed, id) then
        if not collect(key) then return false end
        if #order >= 1000 then return false end
        order[#order + 1] = { key = key, id = id, q = queue, parentKey = parentKey }
      end
    end
  end
  return true
end
local isWhole, removed = collect(q.base .. ARGV[1]), 0

for _, member in ipairs(order) do
  local fields = redis.call('HMGET', member.key, 'timestamp', 'parent', 'deid')
  local isLeft = redis.call('EXISTS', member.key .. ':dependencies') == 0
  if isLeft then
    local state = takeFromState(member.q, member.id)
    detachChild(q, member.key, member.parentKey, fields[2])
    if fields[3] then removeDeduplication(member.q, member.id, fields[3]) end
    eraseJob(member.key)
    removed = removed + 1
    if fields[1] then emit(member.q, 'removed', 'jobId', member.id, 'prev', state) end
  end
end
trimEvents(q)
if isWhole then return 1 end
return removed > 0 and 2 or -12
