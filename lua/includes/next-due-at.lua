-- Epoch ms of the earliest delayed job; 0: there is none.
local function nextDueAt(q)
  local first = redis.call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')
  if #first == 0 then return 0 end
  return math.floor(tonumber(first[2]) / 4096)
end
