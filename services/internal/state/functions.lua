#!lua name=sallyport

-- The functions that must do all of their work or none of it. Redis runs a function whole, with
-- nothing in between. Keys are declared by the caller and share one hash tag.

-- decide writes decisions into the activity stream, if everything they rest on still holds.
--   keys: session, grant, policy, groups, upstream, stream; then those of the MCP sessions and tasks
--         that the request is about
--   args: grant id, and the revisions that were used: grant, policy, groups; the revision of the
--         Atlassian token that the caller already has; the stream's limit; the resource that the
--         token has to be for; who the sessions and tasks must belong to, and how long that is
--         remembered, in seconds; what the client says it is where that is new, whether it disagrees,
--         and the grant's next revision; then, for each decision, its id, the index it belongs to, and
--         the record as JSON
-- The grant remembers when it was used, to the minute, so that not every call writes that.
-- Answers with a word first:
--   written  and the Atlassian token, where the caller has an older one
--   foreign  and the place of a session or task that is somebody else's, counted from 1
--   stale    and the fresh grant, policy, groups and Atlassian token, each empty if unchanged
--   revoked  the session has ended, or is for another resource
--   full     the stream is at its limit
local function decide(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then
    return { 'revoked' }
  end
  local grant = redis.call('HMGET', keys[2], 'rev', 'resource', 'used_at')
  local grant_rev, resource = grant[1], grant[2]
  local upstream_rev = redis.call('HGET', keys[5], 'rev')
  if not grant_rev or not upstream_rev then
    return { 'revoked' }
  end
  -- A grant of before there was a second resource has none.
  if resource and resource ~= '' and resource ~= args[7] then
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

  for i = 7, #keys do
    local holder = redis.call('GET', keys[i])
    if holder and holder ~= args[8] then
      return { 'foreign', tostring(i - 6) }
    end
  end

  if redis.call('XLEN', keys[6]) >= tonumber(args[6]) then
    return { 'full' }
  end
  for i = 7, #keys do
    redis.call('SET', keys[i], args[8], 'EX', args[9])
  end
  if args[10] ~= '' then
    redis.call('HSET', keys[2], 'client_info', args[10], 'client_mismatch', args[11], 'rev', args[12])
  end
  local seconds = tonumber(redis.call('TIME')[1])
  if seconds - tonumber(grant[3] or '0') >= 60 then
    redis.call('HSET', keys[2], 'used_at', seconds)
  end
  for i = 13, #args, 3 do
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

-- append_act appends what an admin is about to do to the activity stream, unless that is at its limit.
--   keys: stream
--   args: the stream's limit, the record's id, the index it belongs to, and the record as JSON
-- Answers 'written' or 'full'.
local function append_act(keys, args)
  if redis.call('XLEN', keys[1]) >= tonumber(args[1]) then
    return { 'full' }
  end
  redis.call('XADD', keys[1], '*', 'kind', 'act', 'id', args[2], 'index', args[3], 'doc', args[4])
  return { 'written' }
end

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

-- prolong has a key live for some seconds at least.
local function prolong(key, life)
  if redis.call('TTL', key) < tonumber(life) then
    redis.call('EXPIRE', key, life)
  end
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

-- forget_upstream takes a person's Atlassian token out and returns it as a flat list, empty where there
-- was none.
local function forget_upstream(key)
  local upstream = redis.call('HGETALL', key)
  redis.call('DEL', key)
  return upstream
end

-- forget_groups forgets a person's groups, and that they are kept fresh, and returns how much there was.
--   keys: groups, groups due, groups watched
local function forget_groups(keys, account)
  return redis.call('DEL', keys[1]) + redis.call('ZREM', keys[2], account) + redis.call('ZREM', keys[3], account)
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

-- now is Redis's time in Unix milliseconds: the one clock that all replicas share.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
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
redis.register_function('sallyport_append_act', append_act)
redis.register_function('sallyport_save_roles', save_roles)
redis.register_function('sallyport_use_first_link', use_first_link)
redis.register_function('sallyport_create_api_token', create_api_token)
redis.register_function('sallyport_use_api_token', use_api_token)
redis.register_function('sallyport_revoke_api_token', revoke_api_token)
redis.register_function('sallyport_redeem_code', redeem_code)
redis.register_function('sallyport_create_grant', create_grant)
redis.register_function('sallyport_issue', issue)
redis.register_function('sallyport_issue_session', issue_session)
redis.register_function('sallyport_end_grant', end_grant)
redis.register_function('sallyport_end_person', end_person)
redis.register_function('sallyport_save_upstream', save_upstream)
redis.register_function('sallyport_reseal_upstream', reseal_upstream)
redis.register_function('sallyport_renew_upstream', renew_upstream)
redis.register_function('sallyport_rotate', rotate)
redis.register_function('sallyport_save_groups', save_groups)
redis.register_function('sallyport_watch_groups', watch_groups)
redis.register_function('sallyport_claim_groups', claim_groups)
redis.register_function('sallyport_allow', allow)
redis.register_function('sallyport_observe', observe)
redis.register_function('sallyport_unlock', unlock)
