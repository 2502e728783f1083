--- @include "add-iteration"
--- @include "decode-object"
--- @include "is-legacy-repeat"
--- @include "next-slot"
-- A job of a scheduler starts: the iteration after it is added, so that a schedule never ends with the process that runs one of its jobs.
-- Only the newest iteration has a successor, so retried and stalled ones add nothing. fields: those of activate-job.
-- Sets q.hasFollowed when it added one.
-- Returns nil when nothing is left to be done; 'ask' when the caller has to call next-iteration, as it has to work out when the job runs
-- next (a cron pattern, an end that is no number) or said that it would (`asks`); 'legacy' for a repeatable job of version 5, which this
-- engine must not run.
local function followSchedule(q, id, fields, now, asks)
  local scheduler = fields[13]
  local last = redis.call('ZSCORE', q['repeat'], scheduler)
  if not last then return nil end
  local opts = decodeObject(fields[3])
  local stored = redis.call('HMGET', q['repeat'] .. ':' .. scheduler, 'ic', 'every', 'offset')
  if not stored[1] and isLegacyRepeat(scheduler, opts) then return 'legacy' end
  if id ~= 'repeat:' .. scheduler .. ':' .. string.format('%d', tonumber(last)) then return nil end
  local rule = type(opts['repeat']) == 'table' and opts['repeat'] or {}
  local every, limit = tonumber(stored[2] or rule.every), tonumber(rule.limit)
  if asks or not every or type(rule.endDate) == 'string' then return 'ask' end
  if limit and (tonumber(rule.count) or 0) + 1 > limit then return nil end
  if type(rule.endDate) == 'number' and now > rule.endDate then return nil end
  local slot = nextSlot(tonumber(last), every, tonumber(stored[3] or rule.offset) or 0, now)
  addIteration(q, scheduler, { name = fields[1], data = fields[2], opts = opts }, slot, now, false)
  q.hasFollowed = true
  return nil
end
