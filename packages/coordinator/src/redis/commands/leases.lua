-- KEYS  leases
-- Returns an array of {name, holder, token, remainingMs}, in no order.

local now = nowMs()
local all = redis.call('HGETALL', KEYS[1])
local views = {}
for i = 1, #all, 2 do
  local lease = cjson.decode(all[i + 1])
  views[#views + 1] = { all[i], lease.holder, lease.token, lease.expiresAtMs - now }
end
return views
