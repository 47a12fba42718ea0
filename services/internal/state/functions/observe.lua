-- observe notes something that was seen of Atlassian. What was seen with another callback is
-- forgotten first: it says nothing about this one.
--   keys: observed, sign-ins that are out
--   args: callback, what was seen, a note on it; for a sign-in that is sent or comes back the hash
--         of its state, and how many are kept at most
-- Answers 'observed'.
local function observe(keys, args)
  if redis.call('HGET', keys[1], 'callback') ~= args[1] then
    redis.call('DEL', keys[1], keys[2])
    redis.call('HSET', keys[1], 'callback', args[1])
  end
  if args[2] == 'returned' then
    redis.call('ZREM', keys[2], args[4])
    return { 'observed' }
  end
  redis.call('HSET', keys[1], args[2], now() .. ' ' .. args[3])
  if args[2] == 'sent' then
    redis.call('ZADD', keys[2], now(), args[4])
    redis.call('ZREMRANGEBYRANK', keys[2], 0, -1 - tonumber(args[5]))
  elseif args[2] == 'signed_in' then
    -- Only those since then are counted.
    redis.call('DEL', keys[2])
  end
  return { 'observed' }
end

redis.register_function('sallyport_observe', observe)
