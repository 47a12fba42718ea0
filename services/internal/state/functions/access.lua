-- save_roles replaces who has which role, if the version there is is the one the change started from.
--   keys: roles
--   args: base version, bindings, and who saved them, when and why; both as JSON
-- Answers 'saved' and the new version, or 'conflict' and the one there is.
local function save_roles(keys, args)
  local version = tonumber(redis.call('HGET', keys[1], 'version') or '0')
  if tonumber(args[1]) ~= version then
    return { 'conflict', tostring(version) }
  end
  redis.call('HSET', keys[1], 'version', version + 1, 'bindings', args[2], 'entry', args[3])
  return { 'saved', tostring(version + 1) }
end

-- use_first_link uses a first link up, and saves the roles that follow from it as save_roles does.
--   keys: first link, roles
--   args: those of save_roles
-- Answers as save_roles, or 'unknown'; the link is used up only where the roles are saved.
local function use_first_link(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then
    return { 'unknown' }
  end
  local answer = save_roles({ keys[2] }, args)
  if answer[1] == 'saved' then
    redis.call('DEL', keys[1])
  end
  return answer
end

-- live tells whether an API token works.
local function live(key)
  local token = redis.call('HMGET', key, 'expires_at', 'revoked_at')
  return token[1] and not token[2] and now() < tonumber(token[1])
end

-- create_api_token stores a token under a name that no other live token has. The names of tokens that are
-- forgotten are forgotten with them.
--   keys: token, names
--   args: name; hash of the token; what the key of a token is before its hash, since the token that has
--         the name must be found in the same step; how many names may be taken; when the token ends, and when
--         it is forgotten, in Unix milliseconds; then the token's fields and values
-- Answers 'created', 'taken' or 'full'.
local function create_api_token(keys, args)
  local names = redis.call('HGETALL', keys[2])
  for i = 1, #names, 2 do
    if redis.call('EXISTS', args[3] .. names[i + 1]) == 0 then
      redis.call('HDEL', keys[2], names[i])
    end
  end
  local other = redis.call('HGET', keys[2], args[1])
  if other and other ~= args[2] and live(args[3] .. other) then
    return { 'taken' }
  end
  if not other and redis.call('HLEN', keys[2]) >= tonumber(args[4]) then
    return { 'full' }
  end
  redis.call('HSET', keys[1], 'expires_at', args[5], unpack(args, 7))
  redis.call('PEXPIREAT', keys[1], args[6])
  redis.call('HSET', keys[2], args[1], args[2])
  return { 'created' }
end

-- use_api_token returns a token that was presented, and remembers to the minute that it was used.
--   keys: token
-- Answers 'live', 'expired', 'revoked' or 'unknown', and the token's fields and values.
local function use_api_token(keys)
  local token = redis.call('HGETALL', keys[1])
  if #token == 0 then
    return { 'unknown' }
  end
  if not live(keys[1]) then
    return { redis.call('HEXISTS', keys[1], 'revoked_at') == 1 and 'revoked' or 'expired', token }
  end
  local at = now()
  if at - tonumber(redis.call('HGET', keys[1], 'last_used_at') or '0') >= 60000 then
    redis.call('HSET', keys[1], 'last_used_at', string.format('%.0f', at))
  end
  return { 'live', token }
end

-- revoke_api_token ends the live token of a name.
--   keys: names
--   args: name; what the key of a token is before its hash; who revokes it
-- Answers 'revoked' or 'unknown'.
local function revoke_api_token(keys, args)
  local hash = redis.call('HGET', keys[1], args[1])
  if not hash or not live(args[2] .. hash) then
    return { 'unknown' }
  end
  redis.call('HSET', args[2] .. hash, 'revoked_at', string.format('%.0f', now()), 'revoked_by', args[3])
  return { 'revoked' }
end

redis.register_function('sallyport_save_roles', save_roles)
redis.register_function('sallyport_use_first_link', use_first_link)
redis.register_function('sallyport_create_api_token', create_api_token)
redis.register_function('sallyport_use_api_token', use_api_token)
redis.register_function('sallyport_revoke_api_token', revoke_api_token)
