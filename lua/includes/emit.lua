-- Appends an event: its name, then its fields and values.
local function emit(q, event, ...)
  redis.call('XADD', q.events, '*', 'event', event, ...)
end
