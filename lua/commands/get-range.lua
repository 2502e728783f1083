--- @include "queue-of-meta"
--[[ get-range: ids of one state with their records, up to 500 a call.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] state   wait, paused, active, prioritized, delayed, waitingChildren, completed or failed; wait goes on with what v5 clients parked
                  in `paused`: those jobs run first when the queue is resumed
  ARGV[2] start   first index, 0 or more
  ARGV[3] stop    last index, inclusive
  ARGV[4] newest  1: newest first (lists: from the left; sets: highest score first); 0: the order in which jobs run or ran

  Returns { seen, { id, fields, id, fields, ... } }: seen ids; those without a record are left out
  Cost    O(jobs), and O(start) for lists ]]
local q = queueOfMeta(KEYS[1])
local state, start, stop, isNewest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local ids = {}
if state == 'wait' or state == 'paused' or state == 'active' then
  local keys, lengths, total = { q[state], state == 'wait' and q.paused or nil }, {}, 0
  for nth, key in ipairs(keys) do
    lengths[nth] = redis.call('LLEN', key)
    total = total + lengths[nth]
  end
  local first, last = start, math.min(stop, total - 1)
  if not isNewest then first, last = math.max(0, total - 1 - stop), total - 1 - start end
  local found, before = {}, 0
  for nth, key in ipairs(keys) do
    if last >= before and first < before + lengths[nth] then
      for _, id in ipairs(redis.call('LRANGE', key, math.max(0, first - before), last - before)) do found[#found + 1] = id end
    end
    before = before + lengths[nth]
  end
  for at = 1, #found do ids[at] = isNewest and found[at] or found[#found + 1 - at] end
else
  ids = redis.call(isNewest and 'ZREVRANGE' or 'ZRANGE', q[state], start, stop)
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
