-- KEYS  job
-- ARGV  field, value, field, value, … of the record
-- Returns 'created' or 'exists'.

if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 'created'
