-- Names the keys of the queue whose keys begin with `base` ("<prefix>:<queue>:"). Each is built when first asked for:
-- q.wait, q.active ... q.waitingChildren. Other fields of a queue (what `read-meta` learns, notes of `wake`) live in the same table.
local KEY_SUFFIXES = {
  wait = 'wait', paused = 'paused', active = 'active', prioritized = 'prioritized', pc = 'pc', delayed = 'delayed',
  waitingChildren = 'waiting-children', completed = 'completed', failed = 'failed', stalled = 'stalled',
  stalledCheck = 'stalled-check', marker = 'marker', meta = 'meta', id = 'id', events = 'events', limiter = 'limiter',
  ['repeat'] = 'repeat', exits = 'drover:exits', returns = 'drover:returns',
}
local QUEUE_METATABLE = {
  __index = function(q, name)
    local suffix = KEY_SUFFIXES[name]
    if not suffix then return nil end
    local key = rawget(q, 'base') .. suffix
    rawset(q, name, key)
    return key
  end,
}

local function queueKeys(base)
  return setmetatable({ base = base }, QUEUE_METATABLE)
end
