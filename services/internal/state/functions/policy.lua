-- save_policy replaces the policy if the version in force is the one the change started from, and
-- keeps the new version in the history.
--   keys: policy, history, documents
--   args: base version, document, the history's entry: who saved it, when and why, as JSON; and a mark that
--         no other save has
-- Answers 'saved' and the new version, or 'conflict' and the one in force.
local function save_policy(keys, args)
  local version = tonumber(redis.call('HGET', keys[1], 'version') or '0')
  if tonumber(args[1]) ~= version then
    return { 'conflict', tostring(version) }
  end
  version = version + 1
  redis.call('HSET', keys[1], 'version', version, 'document', args[2], 'entry', args[3], 'mark', args[4])
  redis.call('HSET', keys[2], version, args[3])
  redis.call('HSET', keys[3], version, args[2])
  return { 'saved', tostring(version) }
end

redis.register_function('sallyport_save_policy', save_policy)
