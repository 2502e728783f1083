-- The score of a job due at `due` (epoch ms): jobs of one millisecond stay in the order they came, up to 4096 of them.
local function delayedScore(q, due)
  local base = due * 4096
  local last = redis.call('ZREVRANGEBYSCORE', q.delayed, base + 4095, base, 'WITHSCORES', 'LIMIT', 0, 1)
  if #last == 0 then return base end
  return math.min(tonumber(last[2]) + 1, base + 4095)
end
