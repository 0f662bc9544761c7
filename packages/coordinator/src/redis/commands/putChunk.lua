-- KEYS  checkpoints begun, chunks of this checkpoint
-- ARGV  checkpoint id, chunk index, bytes

redis.call('SADD', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
