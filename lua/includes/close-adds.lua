--- @include "wake-burst"
--- @include "wake-delay" rarely
-- Ends adding to a queue: gives the hints that were noted.
local function closeAdds(q)
  q.defers = false
  wakeBurst(q, q.ready + (q.wantsWake and q.ready == 0 and 1 or 0))
  if q.wantsWakeDelay then wakeDelay(q) end
end
