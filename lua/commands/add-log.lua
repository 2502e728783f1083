--- @include "queue-of-meta"
--[[ add-log: appends a row to the log of a job.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id
  ARGV[2] row
  ARGV[3] keep  rows that stay, the newest ones; 0: all

  Returns the number of rows kept, or -1 when the job does not exist
  Cost    O(1) and what is trimmed ]]
local key = queueOfMeta(KEYS[1]).base .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return -1 end
local rows, keep = redis.call('RPUSH', key .. ':logs', ARGV[2]), tonumber(ARGV[3])
if keep == 0 or rows <= keep then return rows end
redis.call('LTRIM', key .. ':logs', -keep, -1)
return keep
