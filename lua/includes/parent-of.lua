--- @include "decode-object"
--- @include "queue-at"
-- The parent a job's record names: its queue `q`, `id`, `key`, and the failure policy flags. Records without usable `parent` JSON are
-- read by their parentKey, "<prefix>:<queue>:<id>".
local function parentOf(home, parentKey, parentJson)
  local stored = decodeObject(parentJson)
  local queueKey, id = stored.queueKey, stored.id
  if type(queueKey) ~= 'string' or (type(id) ~= 'string' and type(id) ~= 'number') then
    queueKey, id = string.match(parentKey, '^(.*):([^:]*)$')
  end
  return {
    q = queueAt(home, queueKey .. ':'), id = tostring(id), key = parentKey,
    fpof = stored.fpof == true, cpof = stored.cpof == true, idof = stored.idof == true, rdof = stored.rdof == true,
  }
end
