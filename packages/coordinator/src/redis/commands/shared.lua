-- Put before every command of this folder. The one clock of a cluster is that of Redis.

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function readLease(leasesKey, name)
  local found = redis.call('HGET', leasesKey, name)
  return found and cjson.decode(found)
end

local function writeLease(leasesKey, name, holder, token, expiresAtMs)
  redis.call('HSET', leasesKey, name, cjson.encode({ holder = holder, token = token, expiresAtMs = expiresAtMs }))
end

-- Whether nobody took or released the lease since. One that merely ran out still counts: no other holder can have acted.
local function isHeld(leasesKey, name, holder, token)
  local lease = readLease(leasesKey, name)
  return lease and lease.holder == holder and lease.token == tonumber(token)
end
