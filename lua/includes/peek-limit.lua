-- What the rate limit allows: ms until it lifts (0: not limited) and how many jobs may start now. `max` nil: there is no limit.
local function peekLimit(q, max)
  if not max then return 0, math.huge end
  local started = tonumber(redis.call('GET', q.limiter) or 0) or 0
  if started < max then return 0, max - started end
  local ttl = redis.call('PTTL', q.limiter)
  if ttl > 0 then return ttl, 0 end
  redis.call('DEL', q.limiter)
  return 0, max
end
