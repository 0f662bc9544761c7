-- KEYS  leases, token
-- ARGV  lease name, holder, ttlMs
-- Returns the fencing token, or nil while another holder has the lease.

local name, holder, ttlMs = ARGV[1], ARGV[2], ARGV[3]
local now = nowMs()
local lease = readLease(KEYS[1], name)
local running = lease and lease.expiresAtMs > now
if running and lease.holder ~= holder then return nil end

local token = running and lease.token or redis.call('INCR', KEYS[2])
writeLease(KEYS[1], name, holder, token, now + ttlMs)
return token
