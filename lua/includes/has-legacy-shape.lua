-- Whether a member of `repeat` is a key of repeatable jobs before version 5: "name:id:end:tz:pattern", which is all their definition.
local function hasLegacyShape(key)
  return string.match(key, '^[^:]*:[^:]*:%d*:[^:]*:.*[%s%d]') ~= nil
end
