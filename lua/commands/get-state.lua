--- @include "queue-of-meta"
--- @include "state-of"
--[[ get-state: the state of one job.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] id

  Returns completed, failed, delayed, prioritized, active, waiting, waiting-children or unknown
  Cost    O(1), and O(active + wait) for jobs in lists and unknown ones ]]
return stateOf(queueOfMeta(KEYS[1]), ARGV[1])
