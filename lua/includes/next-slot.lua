-- The slot (epoch ms) after `last` of an interval: one interval later, or the first of the grid after `now` when that has passed.
local function nextSlot(last, every, offset, now)
  local slot = last + every
  if slot >= now then return slot end
  slot = math.floor(now / every) * every + offset
  return slot > now and slot or slot + every
end
