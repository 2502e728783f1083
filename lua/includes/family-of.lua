--- @include "children-of"
-- The full keys of a job and all its descendants, children before their parents; `limit` keys at most, nil when there are more.
local function familyOf(key, limit)
  local family, seen, met = {}, {}, 0
  local visit
  visit = function(member)
    if seen[member] then return true end
    if met >= limit then return false end
    seen[member], met = true, met + 1
    for _, child in ipairs(childrenOf(member)) do
      if not visit(child) then return false end
    end
    family[#family + 1] = member
    return true
  end
  if visit(key) then return family end
  return nil
end
