-- Reads `count` outcomes from a flat list of arguments that begins at `at`. Each begins with kind, id, token, at; then
--   complete       keep, value                      fail           keep, attempts, reason, stacktrace
--   retry          lifo (1 or 0), reason, stacktrace
--   delay          delayMs, counts attempt (1 or 0), has reason (1 or 0), reason, stacktrace
--   wait           1 rate limited, 2 a return that counts, else 0      wait-children  full key of the child to wait for, or nothing: any
-- Everything stays a text. Keys are added: key, lockKey.
local function readOutcomes(list, at, count, base)
  local outcomes = {}
  for nth = 1, count do
    local kind, key = list[at], base .. list[at + 1]
    local outcome = {
      kind = kind, id = list[at + 1], token = list[at + 2], at = list[at + 3], key = key, lockKey = key .. ':lock', lock = false,
      parentKey = false, deid = false, atm = false, keep = false, value = false,
    }
    if kind == 'complete' then
      outcome.keep, outcome.value = list[at + 4], list[at + 5]
      at = at + 6
    elseif kind == 'fail' then
      outcome.keep, outcome.attempts, outcome.reason, outcome.stacktrace = list[at + 4], list[at + 5], list[at + 6], list[at + 7]
      at = at + 8
    elseif kind == 'retry' then
      outcome.lifo, outcome.reason, outcome.stacktrace = list[at + 4], list[at + 5], list[at + 6]
      at = at + 7
    elseif kind == 'delay' then
      outcome.delayMs, outcome.counts, outcome.hasReason = list[at + 4], list[at + 5], list[at + 6]
      outcome.reason, outcome.stacktrace = list[at + 7], list[at + 8]
      at = at + 9
    elseif kind == 'wait' then
      outcome.isRateLimited, outcome.isCounted = list[at + 4] == '1', list[at + 4] == '2'
      at = at + 5
    elseif kind == 'wait-children' then
      outcome.child = list[at + 4]
      at = at + 5
    else
      error('unknown kind of outcome: ' .. tostring(kind))
    end
    outcomes[nth] = outcome
  end
  return outcomes
end
