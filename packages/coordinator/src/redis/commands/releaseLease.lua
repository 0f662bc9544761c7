-- KEYS  leases
-- ARGV  lease name, holder, token

if isHeld(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then redis.call('HDEL', KEYS[1], ARGV[1]) end
