-- An outcome of the job `id`, ended at `endedAt` (ms, a text) by the holder of `token`; the fields that most kinds have are made at once.
local function newOutcome(kind, id, token, endedAt, base)
  local key = base .. id
  return {
    kind = kind, id = id, token = token, at = endedAt, key = key, lockKey = key .. ':lock', lock = false,
    parentKey = false, deid = false, atm = false, keep = false, value = false,
  }
end
