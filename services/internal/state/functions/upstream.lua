-- save_upstream stores the Atlassian token of a person who signs in. It goes soon unless a grant prolongs
-- it; one that lives longer already stays so.
--   keys: the person's Atlassian token
--   args: revision, access, refresh, expires_at, life in seconds
local function save_upstream(keys, args)
  -- A key without an end is an older version's, and may have a grant.
  local endless = redis.call('TTL', keys[1]) == -1
  redis.call('HSET', keys[1], 'rev', args[1], 'access', args[2], 'refresh', args[3], 'expires_at', args[4])
  if not endless then
    prolong(keys[1], args[5])
  end
  return { 'saved' }
end

-- reseal_upstream replaces what a person's Atlassian token is sealed as, if it is still what was resealed.
-- The token is the same, so its revision is.
--   keys: the person's Atlassian token
--   args: the former access and refresh, the next access and refresh
-- Answers 'resealed' or 'changed'.
local function reseal_upstream(keys, args)
  local sealed = redis.call('HMGET', keys[1], 'access', 'refresh')
  if sealed[1] ~= args[1] or sealed[2] ~= args[2] then
    return { 'changed' }
  end
  redis.call('HSET', keys[1], 'access', args[3], 'refresh', args[4])
  return { 'resealed' }
end

-- renew_upstream replaces a person's Atlassian token, if it is still the one that was refreshed. It may
-- be called twice: the answer to the first time may have been lost.
--   keys: the person's Atlassian token
--   args: the revision that was refreshed, the next one, access, refresh, expires_at
-- Answers 'renewed' or 'ended'.
local function renew_upstream(keys, args)
  local rev = redis.call('HGET', keys[1], 'rev')
  if rev ~= args[1] and rev ~= args[2] then
    return { 'ended' }
  end
  redis.call('HSET', keys[1], 'rev', args[2], 'access', args[3], 'refresh', args[4], 'expires_at', args[5])
  return { 'renewed' }
end

-- forget_upstream takes a person's Atlassian token out and returns it as a flat list, empty where there
-- was none.
local function forget_upstream(key)
  local upstream = redis.call('HGETALL', key)
  redis.call('DEL', key)
  return upstream
end

redis.register_function('sallyport_save_upstream', save_upstream)
redis.register_function('sallyport_reseal_upstream', reseal_upstream)
redis.register_function('sallyport_renew_upstream', renew_upstream)
