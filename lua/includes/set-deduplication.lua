-- Makes `id` the owner of a deduplication id. A time to live is left out when the last add is to be kept: it would outlive the owner.
local function setDeduplication(key, id, rule)
  if rule.ttl > 0 and not rule.keepsLast then
    redis.call('SET', key, id, 'PX', rule.ttl)
  else
    redis.call('SET', key, id)
  end
end
