-- Takes up to `n` ids that are ready, in the order they are due to run: wait from its right end, then what a v5 client left parked in
-- `paused` although the queue is not paused, then prioritized. Leftovers of v4 ("0:..." ids) are dropped.
-- counts: { wait, prioritized }, kept up to date.
local function takeReady(q, n, counts)
  local ids = {}
  local takeList = function()
    local taken = redis.call('RPOP', q.wait, n - #ids)
    if not taken then return end
    counts.wait = counts.wait - #taken
    for _, id in ipairs(taken) do
      if string.sub(id, 1, 2) ~= '0:' then ids[#ids + 1] = id end
    end
  end
  while #ids < n and counts.wait > 0 do takeList() end
  if #ids < n and not counts.hasFolded and not q.isPaused and redis.call('EXISTS', q.paused) == 1 then
    counts.hasFolded = true
    redis.call('RENAME', q.paused, q.wait) -- wait is empty here
    counts.wait = redis.call('LLEN', q.wait)
    while #ids < n and counts.wait > 0 do takeList() end
  end
  if #ids < n and counts.prioritized > 0 then
    local taken = redis.call('ZPOPMIN', q.prioritized, n - #ids)
    for at = 1, #taken, 2 do ids[#ids + 1] = taken[at] end
    counts.prioritized = counts.prioritized - #taken / 2
    if counts.prioritized == 0 then redis.call('DEL', q.pc) end
  end
  return ids
end
