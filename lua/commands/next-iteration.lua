--- @include "add-iteration"
--- @include "decode-object"
--- @include "next-slot"
--- @include "queue-of-meta"
--- @include "trim-events"
--[[ next-iteration: adds the iteration of a job scheduler that follows one which has just started, at a time the caller has worked out.
    Nothing is done unless that one is the newest: a retried or stalled iteration has its successor already.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] now        integer, epoch ms
  ARGV[2] scheduler  its id
  ARGV[3] job id     of the iteration that has started
  ARGV[4] slot       epoch ms; empty: by the interval of the scheduler
  ARGV[5] trace      that the iteration goes on with (tm), unless the template names one or none; empty: that of the one before

  Returns the id of the iteration, added or there already; 0 not the newest iteration, or no such scheduler
  Events  added, then delayed or waiting; duplicated when that iteration exists
  Cost    O(log schedulers) ]]
local q = queueOfMeta(KEYS[1])
local now, scheduler, id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local last = redis.call('ZSCORE', q['repeat'], scheduler)
if not last or id ~= 'repeat:' .. scheduler .. ':' .. string.format('%d', tonumber(last)) then return 0 end
local stored = redis.call('HMGET', q.base .. id, 'name', 'data', 'opts')
if not stored[1] then return 0 end

local opts, slot = decodeObject(stored[3]), tonumber(ARGV[4])
if ARGV[5] ~= '' then
  local template = decodeObject(redis.call('HGET', q['repeat'] .. ':' .. scheduler, 'opts'))
  if template.tm == nil and not template.omc then opts.tm = ARGV[5] end
end
if not slot then
  local rule = type(opts['repeat']) == 'table' and opts['repeat'] or {}
  local definition = redis.call('HMGET', q['repeat'] .. ':' .. scheduler, 'every', 'offset')
  local every = tonumber(definition[1] or rule.every)
  if not every then return 0 end
  slot = nextSlot(tonumber(last), every, tonumber(definition[2] or rule.offset) or 0, now)
end
trimEvents(q)
return addIteration(q, scheduler, { name = stored[1], data = stored[2], opts = opts }, slot, now, ARGV[4] ~= '')
