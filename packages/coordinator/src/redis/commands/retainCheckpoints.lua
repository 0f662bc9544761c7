-- Removes all but the newest committed checkpoints, and the chunks of those neither committed nor in progress.
-- KEYS  checkpoints, checkpoints begun
-- ARGV  how many to keep, prefix of the chunk keys (they carry the same hash tag); id in progress, id in progress, …

local committed = {}
for _, json in ipairs(redis.call('HVALS', KEYS[1])) do
  committed[#committed + 1] = cjson.decode(json)
end
table.sort(committed, function(a, b)
  if a.step ~= b.step then return a.step > b.step end
  if a.createdAtMs ~= b.createdAtMs then return a.createdAtMs > b.createdAtMs end
  return a.id > b.id
end)

local kept = {}
for rank, manifest in ipairs(committed) do
  if rank <= tonumber(ARGV[1]) then
    kept[manifest.id] = true
  else
    redis.call('HDEL', KEYS[1], manifest.id)
  end
end
for i = 3, #ARGV do kept[ARGV[i]] = true end

for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if not kept[id] then
    redis.call('UNLINK', ARGV[2] .. id)
    redis.call('SREM', KEYS[2], id)
  end
end
