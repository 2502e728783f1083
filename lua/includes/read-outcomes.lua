-- Reads `count` outcomes from a flat list of arguments that begins at `at`. Each begins with kind, id, token, at; then
--   complete       keep, value                      fail           keep, attempts, reason, stacktrace
--   retry          lifo (1 or 0), reason, stacktrace
--   delay          delayMs, counts attempt (1 or 0), has reason (1 or 0), reason, stacktrace
--   wait, wait-children   nothing more
local OUTCOME_FIELDS = {
  complete = { 'keep', 'value' }, fail = { 'keep', 'attempts', 'reason', 'stacktrace' }, retry = { 'lifo', 'reason', 'stacktrace' },
  delay = { 'delayMs', 'counts', 'hasReason', 'reason', 'stacktrace' }, wait = {}, ['wait-children'] = {},
}

local function readOutcomes(list, at, count)
  local outcomes = {}
  for nth = 1, count do
    local outcome = { kind = list[at], id = list[at + 1], token = list[at + 2], atText = list[at + 3], at = tonumber(list[at + 3]) }
    at = at + 4
    for _, field in ipairs(OUTCOME_FIELDS[outcome.kind]) do
      outcome[field] = list[at]
      at = at + 1
    end
    outcomes[nth] = outcome
  end
  return outcomes
end
