--- @include "is-blocked"
-- Hints that a job may be ready, unless none may start. A queue with `defers` set only notes it: its command decides at its end.
local function wake(q)
  if q.defers then
    q.wantsWake = true
  elseif not isBlocked(q) then
    redis.call('ZADD', q.marker, 0, '0')
  end
end
