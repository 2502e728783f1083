-- Reads `count` new jobs from a flat list of arguments that begins at `at`. Each begins with its shape, id (empty: to be numbered), name,
-- data, opts, timestamp. Shape "plain" ends there, shape "full" goes on with delay, priority, lifo (1 or 0), parentKey, parent (JSON),
-- deduplication id, its ttl (ms) and its modes: letters of x extend, r replace, s reschedule, k keepLastIfActive. Texts are empty where
-- they do not apply.
local function readJobs(list, at, count)
  local jobs = {}
  for nth = 1, count do
    local job = {
      id = list[at + 1], name = list[at + 2], data = list[at + 3], opts = list[at + 4], timestamp = tonumber(list[at + 5]),
      delay = 0, priority = 0,
    }
    if list[at] == 'full' then
      job.delay, job.priority, job.lifo = tonumber(list[at + 6]), tonumber(list[at + 7]), list[at + 8] == '1'
      if list[at + 9] ~= '' then job.parentKey, job.parent = list[at + 9], list[at + 10] end
      if list[at + 11] ~= '' then
        local has = function(mode) return string.find(list[at + 13], mode, 1, true) ~= nil end
        job.deid = list[at + 11]
        job.deduplication = {
          ttl = tonumber(list[at + 12]), extends = has('x'), replaces = has('r'), reschedules = has('s'), keepsLast = has('k'),
        }
      end
      at = at + 14
    else
      at = at + 6
    end
    jobs[nth] = job
  end
  return jobs
end
