-- A JSON object as a table; an empty one for anything else, so that what another client stored cannot stop a script.
local function decodeObject(text)
  if not text then return {} end
  local ok, value = pcall(cjson.decode, text)
  if ok and type(value) == 'table' then return value end
  return {}
end
