-- Announces or renews a member and forgets those whose time has run out.
-- KEYS  members
-- ARGV  member id, member (JSON), ttlMs

local now = nowMs()
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if cjson.decode(all[i + 1]).expiresAtMs <= now then redis.call('HDEL', KEYS[1], all[i]) end
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ record = ARGV[2], expiresAtMs = now + ARGV[3] }))
