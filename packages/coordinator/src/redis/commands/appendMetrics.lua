-- Appends a batch to the stream, unless the same writer's batch of this or a later sequence is there already.
-- KEYS  metrics stream, metrics writers
-- ARGV  entries to keep, writer ('' for none), sequence; entry (JSON), entry, …

local keep, writer, sequence = ARGV[1], ARGV[2], ARGV[3]
if writer ~= '' then
  local last = redis.call('HGET', KEYS[2], writer)
  if last and tonumber(last) >= tonumber(sequence) then return end
  redis.call('HSET', KEYS[2], writer, sequence)
end
for i = 4, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', keep, '*', 'entry', ARGV[i])
end
