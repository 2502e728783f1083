--- @include "emit"
--- @include "queue-of-meta"
--[[ pause: stops the queue for every worker of every client. Ready jobs stay where they are.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  Returns 1
  Events  paused
  Cost    O(1) ]]
local q = queueOfMeta(KEYS[1])
redis.call('HSET', q.meta, 'paused', 1)
redis.call('DEL', q.marker)
emit(q, 'paused')
return 1
