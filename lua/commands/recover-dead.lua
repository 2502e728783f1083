--- @include "count-exit"
--- @include "finish-removal"
--- @include "queue-of-meta"
--- @include "return-stalled"
--- @include "take-active"
--- @include "trim-events"
--- @include "wake"
--[[ recover-dead: takes back the jobs of an incarnation that is known to be dead: those in active whose lock token begins with its name.
    They go by the stalled rule, at once instead of after the lock and two checks. With `how` the end was abnormal and is counted for each
    of them: those that were in hand at too many are marked to fail at their next start. Call it from offset 0 until `next` is -1.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] holder      what the tokens begin with: "<incarnation>:"
  ARGV[2] maxStalled  times a job may stall before it is failed
  ARGV[3] offset      how many ids, counted from the oldest, were looked at and left by the calls before
  ARGV[4] window      how many ids to look at, 1..1000
  ARGV[5] how         how the process ended, for the reason of a failure; nothing: the end is not counted
  ARGV[6] alone       1: the process had no other job in hand, in any queue; else 0

  Returns { ids, next, marked }: the ids that went back, the offset of the next call, -1 when the end was reached, and those of the ids
          that are to fail because of too many ends
  Events  waiting and stalled per job
  Cost    O(window); ids that others take out of active between two calls may hide some: a last call from 0 finds them ]]
local q = queueOfMeta(KEYS[1])
q.defers = true
local holder, offset, window = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])

local ids = redis.call('LRANGE', q.active, -(offset + window), -(offset + 1))
if #ids == 0 then return { {}, -1, {} } end
local keys = {}
for nth, id in ipairs(ids) do keys[nth] = q.base .. id .. ':lock' end
local tokens = redis.call('MGET', unpack(keys))

local returned, marked, kept, removal = {}, {}, #ids, { indices = {}, swept = 0 }
for nth, id in ipairs(ids) do -- newest first: each goes to the front of wait, so the oldest will run first
  local token = tokens[nth]
  if token and string.sub(token, 1, #holder) == holder then
    removal.indices[id] = nth - 1 - #ids - offset
    takeActive(q, removal, id)
    redis.call('DEL', keys[nth])
    redis.call('SREM', q.stalled, id)
    kept = kept - 1
    if returnStalled(q, id, tonumber(ARGV[2])) then
      returned[#returned + 1] = id
      if ARGV[5] ~= '' and countExit(q, id, ARGV[6] == '1', ARGV[5]) then marked[#marked + 1] = id end
    end
  end
end

finishRemoval(q, removal)
q.defers = false
if #returned > 0 then
  trimEvents(q)
  wake(q)
end
return { returned, #ids < window and -1 or offset + kept, marked }
