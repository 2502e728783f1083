--- @include "has-legacy-shape"
--- @include "queue-of-meta"
--- @include "remove-schedule"
--[[ get-schedulers: job schedulers by the time of their next iteration, up to 500 a call. One whose definition is gone is removed; but keys
    of versions before 5 are themselves the definition and stay.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] start   first index; negative: from the end
  ARGV[2] stop    last index, inclusive; negative: from the end
  ARGV[3] latest  1: the latest first; 0: the next to run first

  Returns { next, last, { id, score, fields, id, score, fields, ... } }: the indices to go on with, next is -1 at the end
  Events  removed, for the iteration of one whose definition is gone
  Cost    O(schedulers of the page + log schedulers) ]]
local q = queueOfMeta(KEYS[1])
local start, stop = tonumber(ARGV[1]), tonumber(ARGV[2])
local total = redis.call('ZCARD', q['repeat'])
if start < 0 then start = math.max(0, total + start) end
if stop < 0 then stop = total + stop end
stop = math.min(stop, total - 1)
if start > stop then return { -1, 0, {} } end

local last, healed, found = math.min(stop, start + 499), 0, {}
local range = redis.call(ARGV[3] == '1' and 'ZREVRANGE' or 'ZRANGE', q['repeat'], start, last, 'WITHSCORES')
for nth = 1, #range, 2 do
  local id = range[nth]
  local fields = redis.call('HGETALL', q['repeat'] .. ':' .. id)
  if #fields == 0 and not hasLegacyShape(id) then
    removeSchedule(q, id)
    healed = healed + 1
  else
    found[#found + 1], found[#found + 2], found[#found + 3] = id, range[nth + 1], fields
  end
end
if last == stop then return { -1, 0, found } end
return { last + 1 - healed, stop - healed, found }
