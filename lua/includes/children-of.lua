-- The full keys of all children a job knows: finished, tolerated, failed and pending.
local function childrenOf(key)
  local children = redis.call('HKEYS', key .. ':processed')
  local append = function(more)
    for _, child in ipairs(more) do children[#children + 1] = child end
  end
  append(redis.call('HKEYS', key .. ':failed'))
  append(redis.call('ZRANGE', key .. ':unsuccessful', 0, -1))
  append(redis.call('SMEMBERS', key .. ':dependencies'))
  return children
end
