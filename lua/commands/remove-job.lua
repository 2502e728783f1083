--- @include "detach-child"
--- @include "emit"
--- @include "erase-job"
--- @include "family-of"
--- @include "queue-at"
--- @include "queue-of-meta"
--- @include "remove-deduplication"
--- @include "schedules-job"
--- @include "split-job-key"
--- @include "take-from-state"
--- @include "trim-events"
--[[ remove-job: removes a job from whatever state it is in, with all its children if asked to, unless one of them is being worked on.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] children  1: with all descendants; 0: the job alone

  Returns 1 removed; 0 nothing removed, as a lock is held; -8 the job is the next iteration of a scheduler;
          -12 the family has more than 1000 members
  Events  removed per job; waiting for a parent that waited for this job alone
  Cost    O(family), and O(length) where a member stands in a list ]]
local q = queueOfMeta(KEYS[1])
local rootKey = q.base .. ARGV[1]
if schedulesJob(q, ARGV[1], redis.call('HGET', rootKey, 'rjk')) then return -8 end

local family = { rootKey }
if ARGV[2] == '1' then
  family = familyOf(rootKey, 1000)
  if not family then return -12 end
end
for _, key in ipairs(family) do
  if redis.call('EXISTS', key .. ':lock') == 1 then return 0 end
end

for _, key in ipairs(family) do
  local base, id = q.base, ARGV[1]
  if key ~= rootKey then base, id = splitJobKey(key) end
  local memberQueue = queueAt(q, base)
  local fields = redis.call('HMGET', key, 'timestamp', 'parentKey', 'parent', 'deid')
  if fields[2] then detachChild(q, key, fields[2], fields[3]) end
  local state = takeFromState(memberQueue, id)
  if fields[4] then removeDeduplication(memberQueue, id, fields[4]) end
  eraseJob(key)
  if fields[1] then emit(memberQueue, 'removed', 'jobId', id, 'prev', state) end
end
trimEvents(q)
return 1
