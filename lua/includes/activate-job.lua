--- @include "emit"
-- Locks a job that was taken and counts its start. Returns what a run needs of its record (see FETCHED_FIELDS in job/job-record.ts, which
-- has the same order), or nil when there is no record: such an id is dropped.
local FETCHED_FIELDS = {
  'name', 'data', 'opts', 'timestamp', 'delay', 'priority', 'ats', 'atm', 'stc', 'progress', 'parentKey', 'parent', 'rjk', 'deid',
  'defa', 'failedReason', 'stacktrace',
}

local function activateJob(q, id, fetch)
  local key = q.base .. id
  local fields = redis.call('HMGET', key, unpack(FETCHED_FIELDS))
  if not fields[1] and not fields[4] and redis.call('EXISTS', key) == 0 then return nil end
  if fetch.token ~= '0' then redis.call('SET', key .. ':lock', fetch.token, 'PX', fetch.lockMs) end
  emit(q, 'active', 'jobId', id, 'prev', 'waiting')
  local started = (tonumber(fields[7] or nil) or 0) + 1
  if fetch.name ~= '' then
    redis.call('HMSET', key, 'processedOn', fetch.now, 'ats', started, 'pb', fetch.name)
  else
    redis.call('HMSET', key, 'processedOn', fetch.now, 'ats', started)
  end
  return fields
end
