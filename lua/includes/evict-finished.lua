--- @include "detach-child"
--- @include "erase-job"
-- Erases finished jobs beyond what a retention rule keeps: at most `limit` that are too old, and at most `limit` too many, oldest
-- first. What is left over goes with one of the next calls. Evictions tell nobody and leave deduplication ids alone.
local function evictFinished(q, set, keep, now, limit)
  local evict = function(ids)
    for _, id in ipairs(ids) do
      local key = q.base .. id
      local parent = redis.call('HMGET', key, 'parentKey', 'parent')
      if parent[1] then detachChild(q, key, parent[1], parent[2]) end
      eraseJob(key)
    end
    if #ids > 0 then redis.call('ZREM', set, unpack(ids)) end
  end
  if keep.ageS then
    evict(redis.call('ZRANGEBYSCORE', set, '-inf', now - keep.ageS * 1000, 'LIMIT', 0, math.min(limit, keep.limit or limit)))
  end
  if keep.count > 0 then
    local excess = redis.call('ZCARD', set) - keep.count
    if excess > 0 then evict(redis.call('ZRANGE', set, 0, math.min(excess, limit) - 1)) end
  end
end
