-- Writes fields of the job's record, under a fence.
-- KEYS  leases, job
-- ARGV  fence name, holder, token; 'update' (there must be a record) or 'replace'; field, value, field, value, …
-- Returns 'written', 'conflict' or 'fenced'.

if not isHeld(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then return 'fenced' end
if ARGV[4] == 'update' and redis.call('EXISTS', KEYS[2]) == 0 then return 'conflict' end
if #ARGV > 4 then redis.call('HSET', KEYS[2], unpack(ARGV, 5)) end
return 'written'
