--- @include "apply-outcome"
--- @include "close-batch"
--- @include "emit"
--- @include "fetch-jobs"
--- @include "is-blocked"
--- @include "next-due-at"
--- @include "open-batch"
--- @include "promote-due" rarely
--- @include "queue-of-meta"
--- @include "read-meta"
--- @include "read-outcomes"
--- @include "trim-events"
--[[ exchange-jobs: records up to 200 outcomes of one queue and hands out up to 200 of its jobs in return.
  KEYS[1] meta HASH of the queue; every other key follows from its name

  ARGV[1] now        integer, epoch ms
  ARGV[2] want       jobs to hand out at most, 0..200
  ARGV[3] share      processes that serve this queue, 1 or more: on a short queue a call takes at most its share
  ARGV[4] token      lock token of the jobs handed out; "0": they are not locked
  ARGV[5] lockMs     time to live of their locks
  ARGV[6] name       stored as pb (processedBy); empty: none
  ARGV[7] limiter    the worker's own rate limit: max, empty: none
  ARGV[8] duration   of that limit, ms
  ARGV[9] metrics    data points per metric; 0: no metrics
  ARGV[10] asks      1: the caller adds the next iteration of every scheduler itself, with next-iteration; else 0
  ARGV[11] outcomes  how many follow, 0..200
  ARGV[12...]        outcomes, flat: see read-outcomes

  Returns { statuses, jobs, left, limitedMs, blocked (1 or 0), nextDueAt }
    statuses  one per outcome: 0 done, 1 no child to wait for (nothing changed), 2 an earlier try is in Redis, else a negative status
    jobs      { id, fields, id, fields, ... }: see activate-job
    left      ready jobs that stay behind; nextDueAt: epoch ms of the earliest delayed job, 0 none
  Events  completed | failed [retries-exhausted] | waiting | delayed | waiting-children per outcome; active per job, added and delayed
          for the next iteration of an interval scheduler; drained
  Cost    O(outcomes + want) commands; leaving active by the cheaper of two ways, see choose-removal; promotion of at most 1000 due jobs
          (200 while others are ready); eviction of at most 100 jobs per finish, 1000 per call ]]
local q = queueOfMeta(KEYS[1])
q.defers = true
local now, outcomeCount = tonumber(ARGV[1]), tonumber(ARGV[11])
local fetch = {
  now = ARGV[1], want = tonumber(ARGV[2]), share = tonumber(ARGV[3]), token = ARGV[4], lockMs = ARGV[5], name = ARGV[6],
  limiterMax = tonumber(ARGV[7]), limiterDuration = tonumber(ARGV[8]), asks = ARGV[10] == '1',
}

readMeta(q)
local statuses, batch = {}, nil
if outcomeCount > 0 then
  if outcomeCount > 8 or now % 16 == 0 then trimEvents(q) end -- trimming is approximate: small calls need not do it each time
  local outcomes = readOutcomes(ARGV, 12, outcomeCount, q.base)
  batch = openBatch(q, outcomes)
  for nth, outcome in ipairs(outcomes) do statuses[nth] = applyOutcome(batch, outcome, now) end
  closeBatch(batch, tonumber(ARGV[9]), now)
end

local jobs, limitedMs = {}, 0
if batch and batch.isRateLimited then -- its processor said so: the caller is to take nothing before the limit lifts
  limitedMs = math.max(0, redis.call('PTTL', q.limiter))
  if limitedMs > 0 then fetch.want = 0 end
end

local counts = { wait = redis.call('LLEN', q.wait), prioritized = redis.call('ZCARD', q.prioritized) }
local dueAt = nextDueAt(q)
if fetch.want > 0 and dueAt > 0 and dueAt <= now then
  promoteDue(q, now, counts.wait + counts.prioritized > 0 and 200 or 1000)
  counts = { wait = redis.call('LLEN', q.wait), prioritized = redis.call('ZCARD', q.prioritized) }
  dueAt = nextDueAt(q)
end

if fetch.want > 0 and not q.isPaused then
  local room = q.concurrency and q.concurrency - redis.call('LLEN', q.active) or fetch.want
  jobs, limitedMs = fetchJobs(q, fetch, counts, room)
  if q.hasFollowed then -- schedulers have added jobs of their own
    counts = { wait = redis.call('LLEN', q.wait), prioritized = redis.call('ZCARD', q.prioritized) }
    dueAt = nextDueAt(q)
  end
end

local blocked = isBlocked(q)
local left = counts.wait + counts.prioritized
local hasFreed = q.concurrency ~= nil and batch ~= nil and batch.left > 0
if left > 0 then
  local isLimitedForAll = limitedMs > 0 and q.max ~= nil
  if isLimitedForAll and not blocked then
    redis.call('ZADD', q.marker, now + limitedMs, 'limit') -- whoever is idle then goes on, even if this caller is busy
  elseif not blocked and (#jobs > 0 or q.wantsWake or hasFreed) then redis.call('ZADD', q.marker, 0, '0') end
elseif fetch.want > 0 then
  redis.call('ZREMRANGEBYSCORE', q.marker, 0, 0) -- nothing is ready: hints that say so would only cost empty fetches
end
if dueAt > 0 and (q.wantsWakeDelay or (left == 0 and #jobs == 2 * fetch.want and fetch.want > 0)) then
  redis.call('ZADD', q.marker, dueAt, '1') -- this caller is busy now: somebody idle should know when the next job is due
end

local hasFinished = batch ~= nil and batch.finished.completed + batch.finished.failed > 0
local comesBack = fetch.want > 0 and (dueAt > 0 or limitedMs > 0 or blocked)
if hasFinished and left == 0 and #jobs == 0 and not comesBack and redis.call('LLEN', q.active) == 0 then emit(q, 'drained') end

return { statuses, jobs, left, limitedMs, blocked and 1 or 0, dueAt }
