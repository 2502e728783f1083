-- Appends every key that holds something of a job, but not its lock, to the keys that the batch deletes at its end.
local function noteErased(gone, key)
  local last = #gone
  gone[last + 1], gone[last + 2], gone[last + 3] = key, key .. ':logs', key .. ':dependencies'
  gone[last + 4], gone[last + 5], gone[last + 6] = key .. ':processed', key .. ':failed', key .. ':unsuccessful'
end
