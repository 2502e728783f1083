-- Removes what `take-from-list` has overwritten, each list in one pass.
local function finishSweeps(q)
  for name, sweep in pairs(q.sweeps or {}) do
    if sweep.swept > 0 then redis.call('LREM', q[name], 0, '0:swept') end
  end
  q.sweeps = nil
end
