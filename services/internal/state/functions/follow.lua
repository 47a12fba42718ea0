-- hold takes a lease where nobody has it, and prolongs it for who has it.
--   keys: the lease
--   args: who asks, and for how many milliseconds
-- Answers 'held', or 'other' where somebody else has it.
local function hold(keys, args)
  local holder = redis.call('GET', keys[1])
  if holder and holder ~= args[1] then
    return { 'other' }
  end
  redis.call('SET', keys[1], args[1], 'PX', args[2])
  return { 'held' }
end

-- raise appends an alert to the activity stream, unless its reason is known, and knows it from then on.
--   keys: what is known, stream, process (stream.lua)
--   args: for how many seconds it is known, from the last time on; the alert's id, the index it belongs to, and
--         the alert as JSON
-- Answers 'raised', the entry's id in the stream and which process of Redis this is, or 'known'.
local function raise(keys, args)
  if redis.call('EXISTS', keys[1]) == 1 then
    redis.call('EXPIRE', keys[1], args[1])
    return { 'known' }
  end
  local id = append(keys[2], keys[3], { 'alert', args[2], args[3], args[4] }, 1)
  redis.call('SET', keys[1], args[2], 'EX', args[1])
  return { 'raised', { id }, appended_by() }
end

redis.register_function('sallyport_hold', hold)
redis.register_function('sallyport_raise', raise)
