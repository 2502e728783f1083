-- Counts `finished` jobs of one target ("completed" or "failed") and closes the minutes that have passed since the last call.
local function recordMetrics(q, target, finished, maxPoints, now)
  local key = q.base .. 'metrics:' .. target
  local count = redis.call('HINCRBY', key, 'count', finished) - finished
  local fields = redis.call('HMGET', key, 'prevTS', 'prevCount')
  local previousAt = tonumber(fields[1] or nil)
  if not previousAt then
    redis.call('HSET', key, 'prevTS', now, 'prevCount', 0)
    return
  end
  local minutes = math.min(math.floor(now / 60000) - math.floor(previousAt / 60000), maxPoints)
  if minutes <= 0 then return end
  local points = { count - (tonumber(fields[2] or nil) or 0) }
  for _ = 2, minutes do points[#points + 1] = 0 end
  for first = 1, #points, 5000 do
    redis.call('LPUSH', key .. ':data', unpack(points, first, math.min(first + 4999, #points)))
  end
  redis.call('LTRIM', key .. ':data', 0, maxPoints - 1)
  redis.call('HSET', key, 'prevCount', count, 'prevTS', now)
end
