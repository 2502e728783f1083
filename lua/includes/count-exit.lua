--- @include "has-living-scheduler"
-- Counts an abnormal end of the process that had the job in hand. A job at its 2nd such end alone in the hand, or its 3rd at all, is marked
-- to fail at its next start, unless a living scheduler depends on it. Returns whether it was. The counts belong to this job, not to
-- a later one of its id, and expire a day after the last of them; beyond 20,000 fields they begin anew.
local function countExit(q, id, wasAlone, how)
  local key = q.base .. id
  local of = (redis.call('HGET', key, 'timestamp') or '') .. ':' .. id
  if redis.call('HLEN', q.exits) > 20000 then redis.call('DEL', q.exits) end
  local all = redis.call('HINCRBY', q.exits, 'all:' .. of, 1)
  local alone = redis.call('HINCRBY', q.exits, 'alone:' .. of, wasAlone and 1 or 0)
  redis.call('PEXPIRE', q.exits, 86400000)
  if alone < 2 and all < 3 or hasLivingScheduler(q, key) then return false end
  redis.call('HDEL', q.exits, 'all:' .. of, 'alone:' .. of)
  redis.call('HSET', key, 'defa', 'the job was in hand at ' .. all .. ' abnormal ends of its process, alone at ' .. alone .. ' of them; the last: ' .. how)
  return true
end
