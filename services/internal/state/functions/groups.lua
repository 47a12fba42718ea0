-- forget_groups forgets a person's groups, and that they are kept fresh, and returns how much there was.
--   keys: groups, groups due, groups watched
local function forget_groups(keys, account)
  return redis.call('DEL', keys[1]) + redis.call('ZREM', keys[2], account) + redis.call('ZREM', keys[3], account)
end

-- signed_in tells whether a person has something to keep groups for: an Atlassian token, which is stored
-- before its grant, or a live grant.
local function signed_in(upstream, grants, grant_prefix)
  if redis.call('EXISTS', upstream) == 1 then
    return true
  end
  for _, id in ipairs(redis.call('SMEMBERS', grants)) do
    if redis.call('EXISTS', grant_prefix .. id) == 1 then
      return true
    end
  end
  return false
end

-- save_groups stores what was learned of a person's groups, unless Atlassian was asked later for
-- what is stored, or the person was removed meanwhile. The revision stays while the groups do, so
-- that nothing is decided again.
--   keys: groups, groups due, the person's Atlassian token, the person's grants
--   args: account id, known, list, when Atlassian was asked, when they end, when they are due
--         again, all in Unix milliseconds; the revision where they changed; what the key of a grant is
--         before its id
-- Answers 'changed', 'unchanged', 'older' or 'nobody'.
local function save_groups(keys, args)
  if not signed_in(keys[3], keys[4], args[8]) then
    return { 'nobody' }
  end
  local stored = redis.call('HMGET', keys[1], 'rev', 'known', 'list', 'asked_at')
  if tonumber(stored[4] or '0') > tonumber(args[4]) then
    return { 'older' }
  end
  local same = stored[2] == args[2] and stored[3] == args[3]
  redis.call('HSET', keys[1], 'rev', same and stored[1] or args[7], 'known', args[2], 'list', args[3], 'asked_at', args[4])
  redis.call('PEXPIREAT', keys[1], args[5])
  redis.call('ZADD', keys[2], 'XX', args[6], args[1])
  return { same and 'unchanged' or 'changed' }
end

-- watch_groups puts a person on the list of those whose groups are kept fresh, unless they were
-- removed. Whoever is new there belongs to the caller first.
--   keys: groups due, groups watched, the person's Atlassian token, the person's grants
--   args: account id; for how long, and the lease of the caller, in milliseconds; what the key of a grant
--         is before its id
-- Answers 'added', 'watched' for who was there already, or 'nobody'.
local function watch_groups(keys, args)
  if not signed_in(keys[3], keys[4], args[4]) then
    return { 'nobody' }
  end
  local added = redis.call('ZADD', keys[1], 'NX', now() + tonumber(args[3]), args[1])
  redis.call('ZADD', keys[2], 'GT', now() + tonumber(args[2]), args[1])
  return { added == 1 and 'added' or 'watched' }
end

-- claim_groups hands out people whose groups are due, longest overdue first, each to one caller,
-- and takes those off the list who are no longer watched.
--   keys: groups due, groups watched, groups pause
--   args: how many at most; the lease of the caller, in milliseconds
-- Answers the account ids; none during a pause.
local function claim_groups(keys, args)
  local at = now()
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', keys[2], '-inf', at)) do
    redis.call('ZREM', keys[1], account)
    redis.call('ZREM', keys[2], account)
  end
  if redis.call('EXISTS', keys[3]) == 1 then
    return {}
  end
  local due = redis.call('ZRANGEBYSCORE', keys[1], '-inf', at, 'LIMIT', 0, args[1])
  for _, account in ipairs(due) do
    redis.call('ZADD', keys[1], at + tonumber(args[2]), account)
  end
  return due
end

redis.register_function('sallyport_save_groups', save_groups)
redis.register_function('sallyport_watch_groups', watch_groups)
redis.register_function('sallyport_claim_groups', claim_groups)
