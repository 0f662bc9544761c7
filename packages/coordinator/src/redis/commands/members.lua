-- KEYS  members
-- Returns the members (JSON) whose time has not run out, in no order.

local now = nowMs()
local current = {}
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
  local member = cjson.decode(value)
  if member.expiresAtMs > now then current[#current + 1] = member.record end
end
return current
