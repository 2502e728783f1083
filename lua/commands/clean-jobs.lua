--- @include "emit"
--- @include "queue-of-meta"
--- @include "schedules-job"
--- @include "wipe-job"
--[[ clean-jobs: removes jobs of one state that are older than a time: completed and failed ones by when they finished, others by the first
    stamp they have. Next iterations of schedulers stay, and active jobs that somebody holds. Looks at up to 1000 jobs a call, lists
    from the end that runs first.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] state      wait, paused, active, delayed, prioritized, completed or failed
  ARGV[2] olderThan  epoch ms; a stamp of this or less is old
  ARGV[3] limit      jobs to remove at most
  ARGV[4] skip       ids at the end looked at first which earlier calls have kept

  Returns { ids, kept, left }: ids removed, in lists the newest first; kept of those this call looked at; left: 1 when there are more to look at
  Events  cleaned, with the number of jobs
  Cost    O(1000), and O(list x removed) for lists ]]
local q, state, olderThan = queueOfMeta(KEYS[1]), ARGV[1], tonumber(ARGV[2])
local limit, skip = tonumber(ARGV[3]), tonumber(ARGV[4])
local key, isList = q[state], state == 'wait' or state == 'paused' or state == 'active'
local isFinished = state == 'completed' or state == 'failed'
local stamps = { 'finishedOn', 'processedOn', 'timestamp' }
if state == 'delayed' then stamps = { 'processedOn', 'timestamp' } elseif state == 'prioritized' then stamps = { 'timestamp' } end

local ids
if isFinished then
  ids = redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[2], 'LIMIT', skip, 1000)
elseif isList then
  ids = {}
  local newestFirst = redis.call('LRANGE', key, -(skip + 1000), -(skip + 1))
  for at = #newestFirst, 1, -1 do ids[#ids + 1] = newestFirst[at] end
else
  ids = redis.call('ZRANGE', key, skip, skip + 999)
end

local isOld = function(id)
  if isFinished then return true end
  local fields = redis.call('HMGET', q.base .. id, unpack(stamps))
  for nth = 1, #stamps do
    if fields[nth] then return tonumber(fields[nth]) <= olderThan end
  end
  return true
end
local hasSchedulers = redis.call('EXISTS', q['repeat']) == 1
local isKept = function(id)
  if state == 'active' and redis.call('EXISTS', q.base .. id .. ':lock') == 1 then return true end
  if hasSchedulers and schedulesJob(q, id, redis.call('HGET', q.base .. id, 'rjk')) then return true end
  return not isOld(id)
end

local gone, seen = {}, 0
for _, id in ipairs(ids) do
  if #gone >= limit then break end
  seen = seen + 1
  if not isKept(id) then gone[#gone + 1] = id end
end
if #gone > 0 then
  if isList then
    local newestFirst = {}
    for nth = #gone, 1, -1 do newestFirst[#newestFirst + 1] = gone[nth] end
    gone = newestFirst
    for _, id in ipairs(gone) do redis.call('LREM', key, -1, id) end
    if state == 'active' then redis.call('SREM', q.stalled, unpack(gone)) end
  else
    redis.call('ZREM', key, unpack(gone))
  end
  for _, id in ipairs(gone) do wipeJob(q, id) end
end
emit(q, 'cleaned', 'count', #gone)
return { gone, seen - #gone, (seen < #ids or #ids == 1000) and 1 or 0 }
