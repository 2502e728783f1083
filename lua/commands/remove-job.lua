--- @include "detach-child"
--- @include "emit"
--- @include "erase-job"
--- @include "family-of"
--- @include "finish-sweeps"
--- @include "plan-sweeps"
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
          -12 the job has more than 10000 descendants
  Events  removed per job; waiting for a parent that waited for this job alone
  Cost    O(family), about 15 commands each; O(length) of each ready list that members may stand in, however many do; O(length) of active
          per member that stands there or nowhere ]]
local q = queueOfMeta(KEYS[1])
local rootKey = q.base .. ARGV[1]
if schedulesJob(q, ARGV[1], redis.call('HGET', rootKey, 'rjk')) then return -8 end

local family = { rootKey }
if ARGV[2] == '1' then
  family = familyOf(rootKey, 10001)
  if not family then return -12 end
end
for _, key in ipairs(family) do
  if redis.call('EXISTS', key .. ':lock') == 1 then return 0 end
end

local members, counts = {}, {}
for nth, key in ipairs(family) do
  local base, id = q.base, ARGV[1]
  if key ~= rootKey then base, id = splitJobKey(key) end
  local memberQueue = queueAt(q, base)
  members[nth] = { q = memberQueue, id = id }
  counts[memberQueue] = (counts[memberQueue] or 0) + 1
end
for memberQueue, count in pairs(counts) do planSweeps(memberQueue, count) end

for nth, key in ipairs(family) do
  local memberQueue, id = members[nth].q, members[nth].id
  local fields = redis.call('HMGET', key, 'timestamp', 'parentKey', 'parent', 'deid')
  if fields[2] then detachChild(q, key, fields[2], fields[3]) end
  local state = takeFromState(memberQueue, id)
  if fields[4] then removeDeduplication(memberQueue, id, fields[4]) end
  eraseJob(key)
  if fields[1] then emit(memberQueue, 'removed', 'jobId', id, 'prev', state) end
end
for memberQueue in pairs(counts) do finishSweeps(memberQueue) end
trimEvents(q)
return 1
