--- @include "finish-removal"
--- @include "plan-removal"
--- @include "queue-of-meta"
--- @include "return-stalled"
--- @include "take-active"
--- @include "trim-events"
--- @include "wake"
--[[ move-stalled: the two-phase check for jobs whose holder is gone. First, jobs that were active at the check before, have not been
    renewed since and have no lock go back to wait. Then every active job becomes a suspect of the next check.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] now         integer, epoch ms
  ARGV[2] intervalMs  within it, one check is enough for all clients
  ARGV[3] maxStalled  times a job may stall before it is failed

  Returns { ids, nextMs }: the ids that went back, none when another client checked within the interval; the ms until the next check
          may be made
  Events  waiting and stalled per job
  Cost    O(active): two passes over its ids ]]
local q = queueOfMeta(KEYS[1])
q.defers = true
if not redis.call('SET', q.stalledCheck, ARGV[1], 'PX', ARGV[2], 'NX') then return { {}, redis.call('PTTL', q.stalledCheck) } end
trimEvents(q)

local returned = {}
local suspects = redis.call('SMEMBERS', q.stalled)
if #suspects > 0 then
  redis.call('DEL', q.stalled)
  local unlocked = {}
  for _, id in ipairs(suspects) do
    if redis.call('EXISTS', q.base .. id .. ':lock') == 0 then unlocked[#unlocked + 1] = id end
  end
  local removal = #unlocked > 0 and planRemoval(q, unlocked)
  for _, id in ipairs(unlocked) do
    if takeActive(q, removal, id) and returnStalled(q, id, tonumber(ARGV[3])) then returned[#returned + 1] = id end
  end
  if removal then finishRemoval(q, removal) end
end

local active = redis.call('LRANGE', q.active, 0, -1)
for first = 1, #active, 5000 do
  redis.call('SADD', q.stalled, unpack(active, first, math.min(first + 4999, #active)))
end

q.defers = false
if #returned > 0 then wake(q) end
return { returned, tonumber(ARGV[2]) }
