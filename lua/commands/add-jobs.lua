--- @include "admit-job"
--- @include "close-adds"
--- @include "list-adds"
--- @include "open-adds"
--- @include "queue-of-meta"
--- @include "read-jobs"
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
local now, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local jobs = readJobs(ARGV, 3, count)

openAdds(q)
local counter = redis.call('INCRBY', q.id, count) - count
local results = {}
for nth, job in ipairs(jobs) do
  job.isCustom = job.id ~= ''
  if not job.isCustom then job.id = string.format('%d', counter + nth) end
  if job.parentKey and redis.call('EXISTS', job.parentKey) == 0 then
    results[nth] = -5
  else
    results[nth] = admitJob(q, job, false, now)
  end
end
listAdds(q)
closeAdds(q)
return results
