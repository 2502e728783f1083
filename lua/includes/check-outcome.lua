-- Everything that can refuse an outcome before anything of its job changes; `timestamp` is that of its record. Returns its status: 0 go
-- on; 2 an earlier try of the same outcome is in Redis already; 1 there is no child to wait for; or -1, -2, -4, -6, -9.
local function checkOutcome(batch, outcome, timestamp)
  local q, key, kind = batch.q, outcome.key, outcome.kind
  if not timestamp and redis.call('EXISTS', key) == 0 then return -1 end
  local lock = not batch.released[outcome.id] and outcome.lock
  if not lock and (kind == 'complete' or kind == 'fail') then
    local set = kind == 'complete' and q.completed or q.failed
    if redis.call('HGET', key, 'finishedOn') == outcome.at and redis.call('ZSCORE', set, outcome.id) then return 2 end
  end
  if kind == 'complete' and batch.hasChildren then
    if redis.call('SCARD', key .. ':dependencies') ~= 0 then return -4 end
    if redis.call('ZCARD', key .. ':unsuccessful') ~= 0 then return -9 end
  elseif kind == 'wait-children' then
    if redis.call('ZCARD', key .. ':unsuccessful') ~= 0 then return -9 end
    if outcome.child ~= '' then
      if redis.call('SISMEMBER', key .. ':dependencies', outcome.child) == 0 then return 1 end
    elseif redis.call('SCARD', key .. ':dependencies') == 0 then
      return 1
    end
  end
  if outcome.token == '0' or lock == outcome.token then return 0 end
  return lock and -6 or -2
end
