--- @include "queue-keys"
-- The queue whose keys begin with `base`: `home` itself if it is that one, else one table per queue and call.
local function queueAt(home, base)
  if home.base == base then return home end
  home.others = home.others or {}
  local other = home.others[base]
  if not other then
    other = queueKeys(base)
    home.others[base] = other
  end
  return other
end
