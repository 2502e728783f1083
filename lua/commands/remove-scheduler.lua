--- @include "queue-of-meta"
--- @include "remove-schedule"
--- @include "trim-events"
--[[ remove-scheduler: removes a job scheduler, or a repeatable job of version 5, with the iteration that waits for its time.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] scheduler  its id

  Returns 0, or 1 when there is none
  Events  removed
  Cost    O(log delayed) ]]
local q = queueOfMeta(KEYS[1])
trimEvents(q)
return removeSchedule(q, ARGV[1]) and 0 or 1
