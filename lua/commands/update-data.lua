--- @include "queue-of-meta"
--[[ update-data: replaces the data of a job.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] data  JSON text

  Returns 0, or -1 when the job does not exist
  Cost    O(1) ]]
local key = queueOfMeta(KEYS[1]).base .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return -1 end
redis.call('HSET', key, 'data', ARGV[2])
return 0
