-- How to take `count` ids out of a list of `length`: 'lrem' (one LREM each, walking about `depth` ids) or 'sweep' (read the list once to
-- find them, overwrite each in its place, remove what was overwritten in one pass). Times in microseconds, from the table in
-- lua/README.md. (Writing the whole list anew is quicker for short lists, but sends the whole list to replicas and the append-only file.)
local function chooseRemoval(length, count, depth)
  local lremCall, lremPassed, sweepCall, sweepPassed, sweepFound = 0.8, 0.019, 5, 0.26, 2.2
  if count * (lremCall + lremPassed * depth) <= sweepCall + sweepPassed * length + sweepFound * count then return 'lrem' end
  return 'sweep'
end
