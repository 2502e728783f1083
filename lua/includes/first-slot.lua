-- The first slot (epoch ms) of an interval that begins anew: its start, the next place of its grid, or at once. An offset of 0 is none.
local function firstSlot(every, offset, startAt, now)
  if startAt then return math.max(startAt, now) end
  if not offset or offset <= 0 then return now end
  local slot = math.floor(now / every) * every + offset
  return slot > now and slot or slot + every
end
