--- @include "erase-job"
--- @include "queue-of-meta"
--- @include "state-of"
--[[ remove-orphans: deletes those of up to 100 records whose job is in no state. Hashes that are no records of jobs stay.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] limit  records to delete at most
  ARGV[2...] ids

  Returns the number of records deleted
  Cost    O(ids), and O(active + wait) for each that is in no sorted set ]]
local q, limit, removed = queueOfMeta(KEYS[1]), tonumber(ARGV[1]), 0
for nth = 2, #ARGV do
  local key = q.base .. ARGV[nth]
  if removed < limit and redis.call('TYPE', key).ok == 'hash' and stateOf(q, ARGV[nth]) == 'unknown' then
    local traits = redis.call('HMGET', key, 'ic', 'timestamp', 'processedOn', 'ats', 'atm', 'finishedOn', 'progress')
    local isRecord = false
    for field = 2, 7 do isRecord = isRecord or traits[field] and true end
    if isRecord and not traits[1] then
      eraseJob(key)
      redis.call('DEL', key .. ':lock')
      removed = removed + 1
    end
  end
end
return removed
