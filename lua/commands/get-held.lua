--- @include "queue-of-meta"
--[[ get-held: how many jobs in active are held by an incarnation. Call it from offset 0 until `next` is -1.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] holder  what the tokens begin with: "<incarnation>:"
  ARGV[2] offset  how many ids, counted from the oldest, were looked at by the calls before
  ARGV[3] window  how many ids to look at, 1..1000

  Returns { count, next }: next is -1 when the end was reached
  Cost    O(window) ]]
local q = queueOfMeta(KEYS[1])
local holder, offset, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = redis.call('LRANGE', q.active, -(offset + window), -(offset + 1))
if #ids == 0 then return { 0, -1 } end
local keys, count = {}, 0
for nth, id in ipairs(ids) do keys[nth] = q.base .. id .. ':lock' end
for _, token in ipairs(redis.call('MGET', unpack(keys))) do
  if token and string.sub(token, 1, #holder) == holder then count = count + 1 end
end
return { count, #ids < window and -1 or offset + #ids }
