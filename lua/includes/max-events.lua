--- @include "read-meta"
-- How long the event stream may grow; the default is written down by the first script that needs it.
local function maxEvents(q)
  readMeta(q)
  if not q.maxEvents then
    q.maxEvents = 10000
    redis.call('HSET', q.meta, 'opts.maxLenEvents', q.maxEvents)
  end
  return q.maxEvents
end
