-- Compare-and-set by epoch, under a fence.
-- KEYS  leases, placement
-- ARGV  fence name, holder, token; expected epoch, new epoch, placement (JSON)
-- Returns 'written', 'conflict' or 'fenced'.

if not isHeld(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then return 'fenced' end
local epoch = redis.call('HGET', KEYS[2], 'epoch') or '0'
if epoch ~= ARGV[4] then return 'conflict' end
redis.call('HSET', KEYS[2], 'epoch', ARGV[5], 'record', ARGV[6])
return 'written'
