--- @include "emit"
--- @include "queue-of-meta"
--- @include "trim-events"
--[[ update-progress: stores the progress of a job and tells of it.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] progress  JSON text

  Returns 0, or -1 when the job does not exist
  Events  progress
  Cost    O(1) ]]
local q = queueOfMeta(KEYS[1])
local key = q.base .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return -1 end
redis.call('HSET', key, 'progress', ARGV[2])
emit(q, 'progress', 'jobId', ARGV[1], 'data', ARGV[2])
trimEvents(q)
return 0
