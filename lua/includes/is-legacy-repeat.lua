--- @include "has-legacy-shape"
-- Whether the key of a repeated job, whose definition carries no iteration count, is that of a repeatable job of version 5 or before:
-- "name:id:end:tz:pattern", or a digest, whose jobs do not name their key. Schedulers of any version do.
local function isLegacyRepeat(key, opts)
  return hasLegacyShape(key) or type(opts.repeatJobKey) ~= 'string'
end
