--- @include "queue-of-meta"
--[[ get-jobs: records of jobs by id, up to 500 a call.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1...] ids

  Returns one entry per id: the flat fields of its hash, empty when there is none
  Cost    O(fields) ]]
local q = queueOfMeta(KEYS[1])
local records = {}
for nth = 1, #ARGV do records[nth] = redis.call('HGETALL', q.base .. ARGV[nth]) end
return records
