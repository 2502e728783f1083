--- @include "queue-of-meta"
--[[ extend-locks: renews locks of one queue, up to 500 a call.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] lockMs  new time to live, counted from receipt
  ARGV[2...]      id, token, id, token, ...

  Returns the ids that were not renewed: their lock is missing or belongs to another token
  Cost    O(locks), 2 commands each ]]
local q = queueOfMeta(KEYS[1])
local keys, lost, renewed = {}, {}, {}
for at = 2, #ARGV, 2 do keys[#keys + 1] = q.base .. ARGV[at] .. ':lock' end
local holders = redis.call('MGET', unpack(keys))
for nth, key in ipairs(keys) do
  local id, token = ARGV[2 * nth], ARGV[2 * nth + 1]
  if holders[nth] == token then
    redis.call('PEXPIRE', key, ARGV[1])
    renewed[#renewed + 1] = id
  else
    lost[#lost + 1] = id
  end
end
if #renewed > 0 then redis.call('SREM', q.stalled, unpack(renewed)) end
return lost
