-- Prolongs a lease, also one that has run out, as long as nobody took or released it.
-- KEYS  leases
-- ARGV  lease name, holder, token, ttlMs
-- Returns 'renewed' or 'lost'.

local name, holder, token, ttlMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not isHeld(KEYS[1], name, holder, token) then return 'lost' end
writeLease(KEYS[1], name, holder, tonumber(token), nowMs() + ttlMs)
return 'renewed'
