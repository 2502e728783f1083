-- Deletes everything that is stored about a job. Its lock is left to expire.
local function eraseJob(key)
  redis.call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
end
