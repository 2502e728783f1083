-- The parts of a full job key: what its queue's keys begin with, and its id (what follows the last colon, as every client has it).
local function splitJobKey(key)
  return string.match(key, '^(.*:)([^:]*)$')
end
