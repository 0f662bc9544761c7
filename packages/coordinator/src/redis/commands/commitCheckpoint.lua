-- Makes a checkpoint exist, under a fence, once all its chunks are there.
-- KEYS  leases, checkpoints, chunks of this checkpoint
-- ARGV  fence name, holder, token; checkpoint id, manifest (JSON); chunk index, chunk index, …
-- Returns 'written', 'conflict' or 'fenced'.

if not isHeld(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then return 'fenced' end
if redis.call('HEXISTS', KEYS[2], ARGV[4]) == 1 then return 'conflict' end
for i = 6, #ARGV do
  if redis.call('HEXISTS', KEYS[3], ARGV[i]) == 0 then return 'conflict' end
end
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
return 'written'
