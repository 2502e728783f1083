--- @include "max-events"
-- Trims the event stream, approximately. Once per call, however many events the call appends.
local function trimEvents(q)
  redis.call('XTRIM', q.events, 'MAXLEN', '~', maxEvents(q))
end
