--- @include "new-outcome"
--- @include "read-outcome" rarely
-- Reads `count` outcomes from a flat list of arguments that begins at `at`. Completed jobs, which mostly differ in little, come in runs:
--   complete, token, at, keep, their number, then id and value of each
-- Others come one by one, see `read-outcome`. Everything stays a text.
local function readOutcomes(list, at, count, base)
  local outcomes = {}
  while #outcomes < count do
    if list[at] == 'complete' then
      local token, endedAt, keep, number = list[at + 1], list[at + 2], list[at + 3], tonumber(list[at + 4])
      local last = #outcomes
      at = at + 5
      for nth = last + 1, last + number do
        local outcome = newOutcome('complete', list[at], token, endedAt, base)
        outcome.keep, outcome.value = keep, list[at + 1]
        outcomes[nth] = outcome
        at = at + 2
      end
    else
      outcomes[#outcomes + 1], at = readOutcome(list, at, base)
    end
  end
  return outcomes
end
