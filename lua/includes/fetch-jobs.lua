--- @include "activate-job"
--- @include "peek-limit"
--- @include "take-ready"
-- Hands out up to `fetch.want` jobs: never more than the global concurrency, the rate limit and this caller's fair share of a short
-- queue allow. counts: ready jobs { wait, prioritized }, kept up to date. Jobs that only have to be failed (defa) do not count against
-- the rate limit. Returns { id, fields, id, fields, ... } and the ms until the rate limit lifts (0: not limited).
local function fetchJobs(q, fetch, counts, room)
  local max = q.max or fetch.limiterMax
  local limitedMs, allowance = peekLimit(q, max)
  local fairShare = fetch.share > 1 and math.max(1, math.ceil((counts.wait + counts.prioritized) / fetch.share)) or fetch.want
  local need, started, jobs, active = math.min(fetch.want, room, fairShare), 0, {}, {}
  if need == 1 and allowance > 0 and counts.wait > 0 then -- the way of a lone worker, in one command less
    local id = redis.call('LMOVE', q.wait, q.active, 'RIGHT', 'LEFT')
    counts.wait = counts.wait - 1
    local fields, isDoomed = activateJob(q, id, fetch)
    if fields then
      jobs, need = { id, fields }, 0
      if not isDoomed then allowance, started = allowance - 1, 1 end
    else
      redis.call('LPOP', q.active)
    end
  end
  while need > 0 and allowance > 0 do
    local ids = takeReady(q, math.min(need, allowance), counts)
    if #ids == 0 then break end
    for _, id in ipairs(ids) do
      local fields, isDoomed = activateJob(q, id, fetch)
      if fields then
        jobs[#jobs + 1] = id
        jobs[#jobs + 1] = fields
        active[#active + 1] = id
        need = need - 1
        if not isDoomed then
          allowance = allowance - 1
          started = started + 1
        end
      end
    end
  end
  if #active > 0 then redis.call('LPUSH', q.active, unpack(active)) end
  if max and started > 0 then
    local duration = math.floor(math.abs(fetch.limiterDuration or q.duration or 0))
    if redis.call('INCRBY', q.limiter, started) == started and duration > 0 then redis.call('PEXPIRE', q.limiter, duration) end
    if allowance <= 0 then limitedMs = math.max(0, redis.call('PTTL', q.limiter)) end
  end
  return jobs, limitedMs
end
