--- @include "admit-job"
--- @include "close-adds"
--- @include "list-adds"
--- @include "open-adds"
--- @include "parent-of"
--- @include "queue-of-meta"
--- @include "read-jobs"
--- @include "release-if-done"
--[[ add-flow: adds trees of jobs to any number of queues in one step, up to 10000 jobs: each parent before its children, which it then
    waits for. A job that is stored already is attached to its parent as it is.
  KEYS[1]    meta HASH of a queue; every other key follows from the names of the queues
  KEYS[2...] meta HASHes of the other queues: the server refuses the call unless all are in one slot

  ARGV[1] now     integer, epoch ms
  ARGV[2] count   jobs, 1..10000
  ARGV[3...]      three texts per job: number of its queue in KEYS; number of its parent among the jobs, 0 for a root; letters of p
                  it has children here, c its id may be stored already. Then the jobs themselves, flat: see read-jobs; all have an id

  Returns one entry per job: its id, or that of the job which stands for it; -5 a root's parent does not exist; -7 its id is stored as
          the child of another parent; 0 left out, as it stands below one of those. All others are added.
  Events  added, then waiting, delayed or waiting-children, per job; duplicated; deduplicated; waiting or delayed for a parent whose
          children have all completed before
  Cost    O(jobs), about 6 commands each ]]
local now, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local queues, atBase = { queueOfMeta(KEYS[1]) }, {}
for nth = 2, #KEYS do queues[nth] = queueOfMeta(KEYS[nth]) end
for _, q in ipairs(queues) do
  q.others, q.admitted = atBase, 0 -- one table per queue, wherever it is named
  atBase[q.base] = q
end

local results, parents, attached = {}, {}, {}
for nth, job in ipairs(readJobs(ARGV, 3 + 3 * count, count)) do
  local header = 3 * nth
  local q, above = queues[tonumber(ARGV[header])], tonumber(ARGV[header + 1])
  if above > 0 and type(results[above]) == 'number' then
    results[nth] = 0
  elseif job.parentKey and above == 0 and redis.call('EXISTS', job.parentKey) == 0 then
    results[nth] = -5
  else
    if not q.lefts then openAdds(q) end
    local traits = ARGV[header + 2]
    job.isParent, job.isCustom = string.find(traits, 'p', 1, true), string.find(traits, 'c', 1, true)
    results[nth] = admitJob(q, job, true, now)
    q.admitted = q.admitted + 1
    if job.parentKey then
      if not attached[job.parentKey] then
        attached[job.parentKey] = { json = job.parent, isWhole = true }
        parents[#parents + 1] = job.parentKey
      end
      if results[nth] == -7 then attached[job.parentKey].isWhole = false end -- its wait is not over: it lacks a child
    end
  end
end

for _, q in ipairs(queues) do
  if q.admitted > 0 then
    redis.call('INCRBY', q.id, q.admitted)
    listAdds(q)
  end
end
for _, key in ipairs(parents) do
  if attached[key].isWhole then
    local parent = parentOf(queues[1], key, attached[key].json)
    releaseIfDone(parent.q, parent.id, now)
  end
end
for _, q in ipairs(queues) do
  if q.admitted > 0 then closeAdds(q) end
end
return results
