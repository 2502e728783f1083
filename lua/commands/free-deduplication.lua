--- @include "queue-of-meta"
--[[ free-deduplication: makes a deduplication id free for the next add.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] deduplication id
  ARGV[2] job id; the deduplication id stays if another job owns it; empty: whoever owns it

  Returns 1 freed, 0 nothing to free
  Cost    O(1) ]]
local key = queueOfMeta(KEYS[1]).base .. 'de:' .. ARGV[1]
if ARGV[2] ~= '' and redis.call('GET', key) ~= ARGV[2] then return 0 end
return redis.call('DEL', key)
