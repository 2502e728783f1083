--- @include "queue-keys"
-- The queue of a command: its first key is always "<prefix>:<queue>:meta", from which the others follow.
local function queueOfMeta(metaKey)
  return queueKeys(string.sub(metaKey, 1, -5))
end
