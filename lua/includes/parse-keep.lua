-- A retention rule from "<count>", "<count>:<ageS>" or "<count>:<ageS>:<limit>"; an empty part is not set.
local function parseKeep(text)
  local count, ageS, limit = string.match(text, '^(-?%d+):?(%d*):?(%d*)$')
  return { count = tonumber(count), ageS = tonumber(ageS), limit = tonumber(limit) }
end
