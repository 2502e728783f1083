--- @include "attach-duplicate" rarely
--- @include "deduplicate-job" rarely
--- @include "emit"
--- @include "push-delayed" rarely
--- @include "push-prioritized" rarely
--- @include "queue-of-meta"
--- @include "read-jobs"
--- @include "ready-list"
--- @include "store-job"
--- @include "trim-events"
--- @include "wake-burst"
--- @include "wake-delay" rarely
--[[ add-jobs: adds up to 500 jobs to one queue, in order: standard, delayed or prioritized ones, each on its own or as a child.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] now     integer, epoch ms
  ARGV[2] count   jobs that follow, 1..500
  ARGV[3...]      jobs, flat: see read-jobs

  Returns one entry per job: its id, or -5 its parent does not exist, -7 its id is stored as another parent's child. The jobs before and
          after such a one are added all the same.
          For a job that another one with its deduplication id stands for, that one's id.
  Events  added, then waiting or delayed, per job; duplicated for an id that is stored already; deduplicated, removed: see deduplicate-job
  Cost    O(jobs), about 4 commands each; the id counter moves on by `count` whatever becomes of the jobs ]]
local q = queueOfMeta(KEYS[1])
q.defers = true
local now, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local jobs = readJobs(ARGV, 3, count)

trimEvents(q)
local counter = redis.call('INCRBY', q.id, count) - count
local target = readyList(q)
local results, lefts, rights, ready = {}, {}, {}, 0

for nth, job in ipairs(jobs) do
  local isCustom = job.id ~= ''
  if not isCustom then job.id = string.format('%d', counter + nth) end
  if job.parentKey and redis.call('EXISTS', job.parentKey) == 0 then
    results[nth] = -5
  elseif isCustom and redis.call('EXISTS', q.base .. job.id) == 1 then
    results[nth] = attachDuplicate(q, job, now)
  else
    results[nth] = job.deid and deduplicateJob(q, job) or nil
  end
  if not results[nth] then
    storeJob(q, job)
    if job.delay > 0 then
      pushDelayed(q, job.id, job.timestamp + job.delay)
    else
      ready = ready + 1
      if job.priority > 0 then
        pushPrioritized(q, job.priority, job.id)
      elseif job.lifo then
        rights[#rights + 1] = job.id
      else
        lefts[#lefts + 1] = job.id
      end
      emit(q, 'waiting', 'jobId', job.id)
    end
    if job.parentKey then redis.call('SADD', job.parentKey .. ':dependencies', q.base .. job.id) end
    results[nth] = job.id
  end
end

if #lefts > 0 then redis.call('LPUSH', target, unpack(lefts)) end
if #rights > 0 then redis.call('RPUSH', target, unpack(rights)) end

q.defers = false
wakeBurst(q, ready + (q.wantsWake and ready == 0 and 1 or 0))
if q.wantsWakeDelay then wakeDelay(q) end
return results
