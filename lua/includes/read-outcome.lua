--- @include "new-outcome"
-- Reads one outcome that is not a completion from a flat list of arguments, where it begins at `at` with kind, id, token, at; then
--   fail           keep, attempts, reason, stacktrace
--   retry          lifo (1 or 0), reason, stacktrace
--   delay          delayMs, counts attempt (1 or 0), has reason (1 or 0), reason, stacktrace
--   wait           rate limited (1 or 0)
--   wait-children  full key of the child to wait for, or nothing: any
-- Returns it and where the next one begins.
local function readOutcome(list, at, base)
  local kind = list[at]
  local outcome = newOutcome(kind, list[at + 1], list[at + 2], list[at + 3], base)
  if kind == 'fail' then
    outcome.keep, outcome.attempts, outcome.reason, outcome.stacktrace = list[at + 4], list[at + 5], list[at + 6], list[at + 7]
    return outcome, at + 8
  elseif kind == 'retry' then
    outcome.lifo, outcome.reason, outcome.stacktrace = list[at + 4], list[at + 5], list[at + 6]
    return outcome, at + 7
  elseif kind == 'delay' then
    outcome.delayMs, outcome.counts, outcome.hasReason = list[at + 4], list[at + 5], list[at + 6]
    outcome.reason, outcome.stacktrace = list[at + 7], list[at + 8]
    return outcome, at + 9
  elseif kind == 'wait' then
    outcome.isRateLimited, outcome.isCounted = list[at + 4] == '1', list[at + 4] == '2'
    return outcome, at + 5
  elseif kind == 'wait-children' then
    outcome.child = list[at + 4]
    return outcome, at + 5
  end
  error('unknown kind of outcome: ' .. tostring(kind))
end
