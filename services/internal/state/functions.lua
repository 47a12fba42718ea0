#!lua name=sallyport

-- The functions that must do all of their work or none of it. Redis runs a function whole, with
-- nothing in between. Keys are declared by the caller and share one hash tag.

-- decide writes decisions into the activity stream, if everything they rest on still holds.
--   keys: session, grant, policy, groups, upstream, stream
--   args: grant id, and the revisions that were used: grant, policy, groups; the revision of the
--         Atlassian token that the caller already has; the stream's limit; then, for each
--         decision, its id, the index it belongs to, and the record as JSON
-- The grant remembers when it was used, to the minute, so that not every call writes that.
-- Answers with a word first:
--   written  and the Atlassian token, where the caller has an older one
--   stale    and the fresh grant, policy, groups and Atlassian token, each empty if unchanged
--   revoked  the session has ended
--   full     the stream is at its limit
local function decide(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then
    return { 'revoked' }
  end
  local grant = redis.call('HMGET', keys[2], 'rev', 'used_at')
  local grant_rev = grant[1]
  local upstream_rev = redis.call('HGET', keys[5], 'rev')
  if not grant_rev or not upstream_rev then
    return { 'revoked' }
  end

  local upstream = {}
  if upstream_rev ~= args[5] then
    -- The refresh token stays where it is: only identity has a use for it.
    upstream = { 'rev', upstream_rev,
      'access', redis.call('HGET', keys[5], 'access'),
      'expires_at', redis.call('HGET', keys[5], 'expires_at') }
  end

  local policy_version = redis.call('HGET', keys[3], 'version') or '0'
  local groups_rev = redis.call('HGET', keys[4], 'rev') or '0'
  if grant_rev ~= args[2] or policy_version ~= args[3] or groups_rev ~= args[4] then
    local fresh, policy, groups = {}, {}, {}
    if grant_rev ~= args[2] then fresh = redis.call('HGETALL', keys[2]) end
    if policy_version ~= args[3] then policy = redis.call('HGETALL', keys[3]) end
    if groups_rev ~= args[4] then groups = redis.call('HGETALL', keys[4]) end
    return { 'stale', upstream, fresh, policy, groups, policy_version, groups_rev }
  end

  if redis.call('XLEN', keys[6]) >= tonumber(args[6]) then
    return { 'full' }
  end
  local seconds = tonumber(redis.call('TIME')[1])
  if seconds - tonumber(grant[2] or '0') >= 60 then
    redis.call('HSET', keys[2], 'used_at', seconds)
  end
  for i = 7, #args, 3 do
    redis.call('XADD', keys[6], '*', 'kind', 'decision', 'id', args[i], 'index', args[i + 1], 'doc', args[i + 2])
  end
  return { 'written', upstream }
end

-- save_policy replaces the policy if the version in force is the one the change started from, and
-- keeps the new version in the history.
--   keys: policy, history, documents
--   args: base version, document, and the history's entry: who saved it, when and why, as JSON
-- Answers 'saved' and the new version, or 'conflict' and the one in force.
local function save_policy(keys, args)
  local version = tonumber(redis.call('HGET', keys[1], 'version') or '0')
  if tonumber(args[1]) ~= version then
    return { 'conflict', tostring(version) }
  end
  version = version + 1
  redis.call('HSET', keys[1], 'version', version, 'document', args[2], 'entry', args[3])
  redis.call('HSET', keys[2], version, args[3])
  redis.call('HSET', keys[3], version, args[2])
  return { 'saved', tostring(version) }
end

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
-- person's Atlassian token is still there: somebody who was removed meanwhile has to begin anew.
--   keys: grant, the person's grants, the person's Atlassian token, code, e-mail address, the
--         person's e-mail addresses, connections
--   args: grant id, account id, what the code is bound to, life of the grant until its code is
--         exchanged, life of a refresh token, of a code, and of an e-mail address (0 where the
--         person has none), in seconds; when the grant is created, in Unix milliseconds; what the
--         key of a grant is before its id; then the grant's fields and values
-- Answers 'created' or 'ended'.
local function create_grant(keys, args)
  if redis.call('EXISTS', keys[3]) == 0 then
    return { 'ended' }
  end
  redis.call('HSET', keys[1], unpack(args, 10))
  redis.call('EXPIRE', keys[1], args[4])
  redis.call('SADD', keys[2], args[1])
  redis.call('EXPIRE', keys[2], args[5])
  redis.call('EXPIRE', keys[3], args[5])
  redis.call('SET', keys[4], args[3], 'EX', args[6])
  if args[7] ~= '0' then
    redis.call('SET', keys[5], args[2], 'EX', args[7])
    redis.call('SADD', keys[6], keys[5])
    redis.call('EXPIRE', keys[6], args[7])
  end
  -- Grants that ran out are taken off the list whoever reads it; a few are here, so that it doesn't
  -- grow where nobody does. The keys of grants can't be declared, since which there are is read here.
  for _, id in ipairs(redis.call('ZRANDMEMBER', keys[7], 5)) do
    if redis.call('EXISTS', args[9] .. id) == 0 then
      redis.call('ZREM', keys[7], id)
    end
  end
  redis.call('ZADD', keys[7], args[8], args[1])
  return { 'created' }
end

-- issue makes the first tokens of a grant valid, if it hasn't ended, and prolongs it.
--   keys: grant, session, family, the person's grants, the person's Atlassian token
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
    redis.call('EXPIRE', key, args[4])
  end
  return { 'issued' }
end

-- forget_upstream takes a person's Atlassian token out, with what is kept only while there is one: their
-- groups, and that those are kept fresh. It returns the token as a flat list, empty where there was
-- none, and how much there was.
--   keys: the person's Atlassian token, groups, groups due, groups watched
local function forget_upstream(keys, account)
  local upstream = redis.call('HGETALL', keys[1])
  local found = redis.call('DEL', keys[1], keys[2]) + redis.call('ZREM', keys[3], account) + redis.call('ZREM', keys[4], account)
  return upstream, found
end

-- end_grant ends one grant. With the person's last one, their Atlassian token and groups go too.
--   keys: grant, the person's grants, the person's Atlassian token, groups, groups due, groups
--         watched, connections
--   args: grant id, account id, and what the key of a grant is before its id; see end_person
-- Answers 'ended' or 'last' with the Atlassian token that was forgotten, or 'nobody' where there is no
-- such grant.
local function end_grant(keys, args)
  redis.call('SREM', keys[2], args[1])
  redis.call('ZREM', keys[7], args[1])
  if redis.call('DEL', keys[1]) == 0 then
    return { 'nobody' }
  end
  for _, id in ipairs(redis.call('SMEMBERS', keys[2])) do
    if redis.call('EXISTS', args[3] .. id) == 1 then
      return { 'ended', {} }
    end
  end
  redis.call('DEL', keys[2])
  local upstream = forget_upstream({ unpack(keys, 3, 6) }, args[2])
  return { 'last', upstream }
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
  local upstream, found = forget_upstream({ unpack(keys, 2, 5) }, args[1])
  found = found + redis.call('DEL', keys[1])
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
  for _, key in ipairs({ keys[1], keys[3], keys[4], keys[5] }) do
    redis.call('EXPIRE', key, args[6])
  end
  return { 'rotated' }
end

-- now is Redis's time in Unix milliseconds: the one clock that all replicas share.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- save_groups stores what was learned of a person's groups, unless Atlassian was asked later for
-- what is stored, or the person was removed meanwhile. The revision stays while the groups do, so
-- that nothing is decided again.
--   keys: groups, groups due, the person's Atlassian token
--   args: account id, known, list, when Atlassian was asked, when they end, when they are due
--         again, all in Unix milliseconds; the revision where they changed
-- Answers 'changed', 'unchanged', 'older' or 'nobody'.
local function save_groups(keys, args)
  if redis.call('EXISTS', keys[3]) == 0 then
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
--   keys: groups due, groups watched, the person's Atlassian token
--   args: account id; for how long, and the lease of the caller, in milliseconds
-- Answers 'added', 'watched' for who was there already, or 'nobody'.
local function watch_groups(keys, args)
  if redis.call('EXISTS', keys[3]) == 0 then
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

redis.register_function('sallyport_decide', decide)
redis.register_function('sallyport_save_policy', save_policy)
redis.register_function('sallyport_redeem_code', redeem_code)
redis.register_function('sallyport_create_grant', create_grant)
redis.register_function('sallyport_issue', issue)
redis.register_function('sallyport_end_grant', end_grant)
redis.register_function('sallyport_end_person', end_person)
redis.register_function('sallyport_renew_upstream', renew_upstream)
redis.register_function('sallyport_rotate', rotate)
redis.register_function('sallyport_save_groups', save_groups)
redis.register_function('sallyport_watch_groups', watch_groups)
redis.register_function('sallyport_claim_groups', claim_groups)
redis.register_function('sallyport_unlock', unlock)
