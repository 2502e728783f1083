--- @include "queue-of-meta"
--[[ get-counts: how many jobs are in each state, at one instant.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  Returns { waiting, active, prioritized, delayed, waiting-children, completed, failed, parked }: parked is the `paused` list of v5 clients,
          not contained in waiting
  Cost    O(1) ]]
local q = queueOfMeta(KEYS[1])
return {
  redis.call('LLEN', q.wait), redis.call('LLEN', q.active), redis.call('ZCARD', q.prioritized), redis.call('ZCARD', q.delayed),
  redis.call('ZCARD', q.waitingChildren), redis.call('ZCARD', q.completed), redis.call('ZCARD', q.failed), redis.call('LLEN', q.paused),
}
