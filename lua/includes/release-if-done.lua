--- @include "release-parent"
-- Ends a parent's wait once no child is pending.
local function releaseIfDone(pq, id, now)
  if redis.call('SCARD', pq.base .. id .. ':dependencies') == 0 then releaseParent(pq, id, now) end
end
