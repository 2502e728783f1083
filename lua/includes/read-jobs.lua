-- Reads `count` new jobs from a flat list of arguments that begins at `at`. Each begins with its shape, id (empty: to be generated),
-- name, data, opts (JSON), timestamp; shape "plain" ends there, shape "full" goes on with delay, priority, lifo (1 or 0), parentKey,
-- parent (JSON), deid; the last three are empty where they do not apply.
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
      if list[at + 11] ~= '' then job.deid = list[at + 11] end
      at = at + 12
    else
      at = at + 6
    end
    jobs[nth] = job
  end
  return jobs
end
