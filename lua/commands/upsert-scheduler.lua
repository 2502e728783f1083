--- @include "first-slot"
--- @include "insert-ready"
--- @include "is-unstarted"
--- @include "next-slot"
--- @include "queue-of-meta"
--- @include "store-job"
--- @include "take-unstarted"
--- @include "trim-events"
--- @include "wipe-job"
--[[ upsert-scheduler: defines a job scheduler, new or in place of the one with its id, and adds its next iteration. That of the one before
    goes if it has not started; with the same interval, its slot stays.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] now        integer, epoch ms
  ARGV[2] scheduler  its id
  ARGV[3] slot       epoch ms; empty: by the interval
  ARGV[4] every      ms; empty: the caller has worked out the slot
  ARGV[5] offset     ms of the interval's grid; empty: that of the scheduler before, or where the slot falls
  ARGV[6] start      epoch ms; empty: none
  ARGV[7] name       of the jobs
  ARGV[8] data       of the jobs, JSON
  ARGV[9] opts       of the iteration, a JSON object without its closing brace; what follows from the slot is added here
  ARGV[10] priority  of the jobs
  ARGV[11] lifo      1 or 0
  ARGV[12...] definition  what else its hash has: field, value, field, value ...

  Returns { id of the job, its delay in ms, 0 }; or nothing done: -10 that iteration exists, -11 so do the 32 after it,
          -13 it exists, but the slot after it may be free: the caller works that out
  Events  added, then delayed or waiting
  Cost    O(log schedulers), and O(length of wait) when the iteration before stands there ]]
local q = queueOfMeta(KEYS[1])
local now, scheduler, slot, every = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local offset = tonumber(ARGV[5])
local definition, own = q['repeat'] .. ':' .. scheduler, 'repeat:' .. scheduler .. ':'
local isInterval = every ~= nil

local last = tonumber(redis.call('ZSCORE', q['repeat'], scheduler) or nil)
local before = redis.call('HMGET', definition, 'every', 'offset', 'ic')
local lastId = last and own .. string.format('%d', last)
local isReplaced = last ~= nil and isUnstarted(q, lastId)

-- Where the next iteration goes. Nothing is written before that is certain.
local function isTaken(at)
  local id = own .. string.format('%d', at)
  return not (isReplaced and id == lastId) and redis.call('EXISTS', q.base .. id) == 1
end
if isInterval then
  local goesOn = last and tonumber(before[1] or nil) == every
  if not goesOn then slot = firstSlot(every, offset, tonumber(ARGV[6]), now)
  elseif isReplaced then slot = last
  else slot = nextSlot(last, every, offset or tonumber(before[2] or nil) or 0, now) end
  local steps = 0
  while isTaken(slot) do
    if steps == 32 then return -11 end
    slot, steps = slot + every, steps + 1
  end
elseif isTaken(slot) then
  return isReplaced and -13 or -10
end

if isReplaced and takeUnstarted(q, lastId) then wipeJob(q, lastId) end
local at = string.format('%d', slot)
redis.call('ZADD', q['repeat'], at, scheduler)
local fields = { 'name', ARGV[7], 'ic', before[3] or '1' }
fields[5], fields[6] = 'offset', offset and ARGV[5] or before[2] or string.format('%d', isInterval and slot % every or 0)
if isInterval then fields[7], fields[8] = 'every', ARGV[4] end
if ARGV[6] ~= '' then fields[#fields + 1], fields[#fields + 2] = 'startDate', ARGV[6] end
for nth = 12, #ARGV do fields[#fields + 1] = ARGV[nth] end
redis.call('DEL', definition)
redis.call('HSET', definition, unpack(fields))

trimEvents(q)
redis.call('INCR', q.id)
local id, delay = own .. at, math.max(0, slot - now)
local opts = ARGV[9] .. string.format('"jobId":%s,"repeatJobKey":%s,"delay":%d,"timestamp":%d%s}',
  cjson.encode(id), cjson.encode(scheduler), delay, now, isInterval and '' or ',"prevMillis":' .. at)
local job = {
  id = id, name = ARGV[7], data = ARGV[8], opts = opts, timestamp = now, delay = delay, priority = tonumber(ARGV[10]), lifo = ARGV[11] == '1',
  rjk = scheduler,
}
storeJob(q, job)
insertReady(q, job)
return { id, delay, 0 }
