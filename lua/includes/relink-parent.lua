-- A finished child that is to run again: its parent forgets the result and counts it as pending. The parent itself stays where it is.
local function relinkParent(key, parentKey, state)
  if redis.call('EXISTS', parentKey) == 0 then return end
  local wasLinked
  if state == 'failed' then
    wasLinked = redis.call('ZREM', parentKey .. ':unsuccessful', key) == 1 or redis.call('HDEL', parentKey .. ':failed', key) == 1
  else
    wasLinked = redis.call('HDEL', parentKey .. ':processed', key) == 1
  end
  if wasLinked then redis.call('SADD', parentKey .. ':dependencies', key) end
end
