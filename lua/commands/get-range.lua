--- @include "queue-of-meta"
--[[ get-range: ids of one state with their records, up to 500 a call.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] state   wait, paused, active, prioritized, delayed, waitingChildren, completed or failed
  ARGV[2] start   first index; negative: from the end
  ARGV[3] stop    last index, inclusive
  ARGV[4] newest  1: newest first (lists: from the left; sets: highest score first); 0: the order in which jobs run or ran

  Returns { seen, { id, fields, id, fields, ... } }: seen ids; those without a record are left out
  Cost    O(jobs), and O(start) for lists ]]
local q = queueOfMeta(KEYS[1])
local key, start, stop, isNewest = q[ARGV[1]], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local ids
if ARGV[1] == 'wait' or ARGV[1] == 'paused' or ARGV[1] == 'active' then
  if isNewest then
    ids = redis.call('LRANGE', key, start, stop)
  else
    local oldestFirst = {}
    local newestFirst = redis.call('LRANGE', key, -(stop + 1), -(start + 1))
    for at = #newestFirst, 1, -1 do oldestFirst[#oldestFirst + 1] = newestFirst[at] end
    ids = oldestFirst
  end
else
  ids = redis.call(isNewest and 'ZREVRANGE' or 'ZRANGE', key, start, stop)
end
local jobs = {}
for _, id in ipairs(ids) do
  local fields = redis.call('HGETALL', q.base .. id)
  if #fields > 0 then
    jobs[#jobs + 1] = id
    jobs[#jobs + 1] = fields
  end
end
return { #ids, jobs }
