--- @include "trim-events"
-- Begins adding to a queue: plain jobs are only noted until `list-adds`, hints until `close-adds`.
local function openAdds(q)
  q.defers, q.lefts, q.rights, q.ready = true, {}, {}, 0
  trimEvents(q)
end
