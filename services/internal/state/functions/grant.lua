-- redeem_code uses an authorization code up, and remembers that it was used.
--   keys: code, used code
--   args: how long to remember, in seconds
-- Answers 'redeemed' or 'replayed' with what the code is bound to, or 'unknown'.
local function redeem_code(keys, args)
  local used = redis.call('GET', keys[2])
  if used then
    return { 'replayed', used }
  end
  local code = redis.call('GET', keys[1])
  if not code then
    return { 'unknown' }
  end
  redis.call('DEL', keys[1])
  redis.call('SET', keys[2], code, 'EX', args[1])
  return { 'redeemed', code }
end

-- create_grant stores a new grant with the code that its client exchanges for tokens, if the
-- person's Atlassian token is still there: somebody who was removed meanwhile has to begin anew. One for
-- the admin API has no Atlassian token, and needs none.
--   keys: grant, the person's grants, code, e-mail address, the person's e-mail addresses, connections;
--         the person's Atlassian token, unless the grant is for the admin API
--   args: grant id, account id, what the code is bound to, life of the grant until its code is
--         exchanged, life of a refresh token, of a code, and of an e-mail address (0 where the
--         person has none), in seconds; when the grant is created, in Unix milliseconds; what the
--         key of a grant is before its id; then the grant's fields and values
-- Answers 'created' or 'ended'.
local function create_grant(keys, args)
  if keys[7] and redis.call('EXISTS', keys[7]) == 0 then
    return { 'ended' }
  end
  redis.call('HSET', keys[1], unpack(args, 10))
  redis.call('EXPIRE', keys[1], args[4])
  redis.call('SADD', keys[2], args[1])
  for _, key in ipairs({ keys[2], keys[7] }) do
    prolong(key, args[5])
  end
  redis.call('SET', keys[3], args[3], 'EX', args[6])
  if args[7] ~= '0' then
    redis.call('SET', keys[4], args[2], 'EX', args[7])
    redis.call('SADD', keys[5], keys[4])
    redis.call('EXPIRE', keys[5], args[7])
  end
  -- Grants that ran out are taken off the list whoever reads it; a few are here, so that it doesn't
  -- grow where nobody does. The keys of grants can't be declared, since which there are is read here.
  for _, id in ipairs(redis.call('ZRANDMEMBER', keys[6], 5)) do
    if redis.call('EXISTS', args[9] .. id) == 0 then
      redis.call('ZREM', keys[6], id)
    end
  end
  redis.call('ZADD', keys[6], args[8], args[1])
  return { 'created' }
end

-- issue makes the first tokens of a grant valid, if it hasn't ended, and prolongs it.
--   keys: grant, session, family, the person's grants; the person's Atlassian token, unless the grant is
--         for the admin API
--   args: grant id, hash of the refresh token's secret, life of an access token, life of a refresh
--         token, in seconds
-- Answers 'issued' or 'ended'.
local function issue(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then
    return { 'ended' }
  end
  redis.call('SET', keys[2], args[1], 'EX', args[3])
  redis.call('HSET', keys[3], 'grant', args[1], 'current', args[2])
  for _, key in ipairs({ keys[1], keys[3], keys[4], keys[5] }) do
    prolong(key, args[4])
  end
  return { 'issued' }
end

-- issue_session makes an access token of a grant valid that no refresh token follows, if the grant hasn't
-- ended; it ends with the token.
--   keys: grant, session, the person's grants
--   args: grant id, life of the token in seconds
-- Answers 'issued' or 'ended'.
local function issue_session(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then
    return { 'ended' }
  end
  redis.call('SET', keys[2], args[1], 'EX', args[2])
  redis.call('EXPIRE', keys[1], args[2])
  prolong(keys[3], args[2])
  return { 'issued' }
end

-- is_admin tells whether a grant is for the admin API: it has no Atlassian token then.
local function is_admin(grant)
  local resource = redis.call('HGET', grant, 'resource')
  return resource and resource ~= '' and string.sub(resource, -4) ~= '/mcp'
end

-- end_grant ends one grant. With the person's last one for an assistant their Atlassian token goes too,
-- and with the last of all their groups.
--   keys: grant, the person's grants, the person's Atlassian token, groups, groups due, groups
--         watched, connections
--   args: grant id, account id, and what the key of a grant is before its id; see end_person
-- Answers 'ended' with the Atlassian token that was forgotten, empty where there was none or it is still
-- needed; or 'nobody' where there is no such grant.
local function end_grant(keys, args)
  redis.call('SREM', keys[2], args[1])
  redis.call('ZREM', keys[7], args[1])
  if redis.call('DEL', keys[1]) == 0 then
    return { 'nobody' }
  end
  local others = false
  for _, id in ipairs(redis.call('SMEMBERS', keys[2])) do
    local other = args[3] .. id
    if redis.call('EXISTS', other) == 1 then
      others = true
      if not is_admin(other) then
        return { 'ended', {} }
      end
    end
  end
  if not others then
    redis.call('DEL', keys[2])
    forget_groups({ unpack(keys, 4, 6) }, args[2])
  end
  return { 'ended', forget_upstream(keys[3]) }
end

-- end_person ends all grants of a person, and forgets their Atlassian token, their groups, and that
-- their groups are kept fresh. Whoever is to be forgotten altogether loses their consents, too, and
-- the e-mail addresses by which they can be named.
--   keys: the person's grants, the person's Atlassian token, groups, groups due, groups watched,
--         connections, the person's consents, the person's e-mail addresses
--   args: account id; what the key of a grant is before its id; '1' to forget them altogether. The keys
--         of grants and of e-mail addresses can't be declared, since which there are must be read in
--         the same step, but they share the hash tag
-- Answers 'ended', how many grants there were, and the Atlassian token that was forgotten; or 'nobody'
-- where there was nothing of the person.
local function end_person(keys, args)
  local grants = 0
  for _, id in ipairs(redis.call('SMEMBERS', keys[1])) do
    grants = grants + redis.call('DEL', args[2] .. id)
    redis.call('ZREM', keys[6], id)
  end
  local upstream = forget_upstream(keys[2])
  local found = #upstream + forget_groups({ unpack(keys, 3, 5) }, args[1]) + redis.call('DEL', keys[1])
  if args[3] == '1' then
    for _, key in ipairs(redis.call('SMEMBERS', keys[8])) do
      -- The address may be somebody else's by now.
      if redis.call('GET', key) == args[1] then
        redis.call('DEL', key)
      end
    end
    found = found + redis.call('DEL', keys[7], keys[8])
  end
  return { found > 0 and 'ended' or 'nobody', grants, upstream }
end

-- rotate replaces a refresh token by the next one of its family.
--   keys: family, next session, and those of end_grant
--   args: grant id, hash of the secret that was shown, hash of the next one, grace, life of an
--         access token, life of a refresh token; times in seconds; account id, and what the key of a
--         grant is before its id
-- Answers 'rotated', 'ended', or 'replayed' with what end_grant answers.
local function rotate(keys, args)
  if redis.call('HGET', keys[1], 'grant') ~= args[1] or redis.call('EXISTS', keys[3]) == 0 then
    return { 'ended' }
  end
  local now = tonumber(redis.call('TIME')[1])
  local shown = args[2]
  local family = redis.call('HMGET', keys[1], 'current', 'sibling', 'previous', 'rotated_at')
  if shown == family[1] or shown == family[2] then
    redis.call('HSET', keys[1], 'current', args[3], 'previous', shown, 'rotated_at', now)
    redis.call('HDEL', keys[1], 'sibling')
  elseif shown == family[3] and not family[2] and now - tonumber(family[4]) <= tonumber(args[4]) then
    -- The answer to its first use may have been lost, or not: both successors work until one of
    -- them is used.
    redis.call('HSET', keys[1], 'sibling', args[3])
  else
    redis.call('DEL', keys[1])
    return { 'replayed', end_grant({ unpack(keys, 3) }, { args[1], args[7], args[8] }) }
  end
  redis.call('SET', keys[2], args[1], 'EX', args[5])
  for _, key in ipairs({ keys[1], keys[3], keys[4] }) do
    prolong(key, args[6])
  end
  if not is_admin(keys[3]) then
    prolong(keys[5], args[6])
  end
  return { 'rotated' }
end

redis.register_function('sallyport_redeem_code', redeem_code)
redis.register_function('sallyport_create_grant', create_grant)
redis.register_function('sallyport_issue', issue)
redis.register_function('sallyport_issue_session', issue_session)
redis.register_function('sallyport_end_grant', end_grant)
redis.register_function('sallyport_end_person', end_person)
redis.register_function('sallyport_rotate', rotate)
