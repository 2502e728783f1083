--- @include "emit"
--- @include "follow-schedule" rarely
-- Locks a job that was taken and counts its start. Returns what a run needs of its record (FETCHED_FIELDS in job/job-record.ts has the
-- same order; after the first six, the list ends where nothing more is stored), or nil when there is no record: such an id is dropped.
-- One entry beyond them says what the caller has to do about the job's schedule, see follow-schedule. The second result says whether the
-- job has only to be failed.
-- Most jobs are new and plain, with six fields and no more: to ask for eleven that are missing costs as much as a command.
local function activateJob(q, id, fetch)
  local key = q.base .. id
  local fields = redis.call('HLEN', key) == 6 and redis.call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'delay', 'priority')
  local isPlain = fields and fields[1] and fields[2] and fields[3] and fields[4] and fields[5] and fields[6]
  if not isPlain then
    fields = redis.call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'delay', 'priority', 'ats', 'atm', 'stc', 'progress',
      'parentKey', 'parent', 'rjk', 'deid', 'defa', 'failedReason', 'stacktrace')
  end
  if not fields[1] and not fields[4] and redis.call('EXISTS', key) == 0 then return nil end
  if fetch.token ~= '0' then redis.call('SET', key .. ':lock', fetch.token, 'PX', fetch.lockMs) end
  emit(q, 'active', 'jobId', id, 'prev', 'waiting')
  local started = fields[7] and string.format('%d', tonumber(fields[7]) + 1) or '1'
  if fetch.name ~= '' then
    redis.call('HMSET', key, 'processedOn', fetch.now, 'ats', started, 'pb', fetch.name)
  else
    redis.call('HMSET', key, 'processedOn', fetch.now, 'ats', started)
  end
  if isPlain then return fields, false end
  local isDoomed, last = fields[15] and true or false, 17
  local schedule = fields[13] and followSchedule(q, id, fields, tonumber(fetch.now), fetch.asks)
  if schedule then
    fields[18] = schedule
    return fields, isDoomed
  end
  while last > 6 and not fields[last] do last = last - 1 end
  fields[last + 1] = nil
  return fields, isDoomed
end
