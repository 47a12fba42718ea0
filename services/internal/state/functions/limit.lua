-- allow counts one more of something that is limited, unless a limit is reached.
--   keys: the counter of its source, and of all together
--   args: the limits of the two; for how long is counted, in seconds
-- Answers 'allowed', or 'limited' and for how many seconds.
local function allow(keys, args)
  for i = 1, 2 do
    if tonumber(redis.call('GET', keys[i]) or '0') >= tonumber(args[i]) then
      return { 'limited', redis.call('TTL', keys[i]) }
    end
  end
  for i = 1, 2 do
    if redis.call('INCR', keys[i]) == 1 then
      redis.call('EXPIRE', keys[i], args[3])
    end
  end
  return { 'allowed' }
end

-- unlock gives up a lock if it is still the caller's.
--   keys: lock
--   args: the caller's token
local function unlock(keys, args)
  if redis.call('GET', keys[1]) == args[1] then
    redis.call('DEL', keys[1])
    return { 'unlocked' }
  end
  return { 'lost' }
end

redis.register_function('sallyport_allow', allow)
redis.register_function('sallyport_unlock', unlock)
