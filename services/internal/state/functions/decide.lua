-- policy_revision is what tells the policy in force from all others: its version alone could be that of one which
-- was saved before and lost, when Redis was killed before it had it on its disk.
local function policy_revision(policy)
  local saved = redis.call('HMGET', policy, 'version', 'mark')
  return (saved[1] or '0') .. '/' .. (saved[2] or '')
end

-- decide writes decisions into the activity stream, if everything they rest on still holds.
--   keys: session, grant, policy, groups, upstream, stream, process (stream.lua); then those of the MCP
--         sessions and tasks that the request is about
--   args: grant id, and the revisions that were used: grant, policy, groups; the revision of the
--         Atlassian token that the caller already has; the stream's limit; the resource that the
--         token has to be for; who the sessions and tasks must belong to, and how long that is
--         remembered, in seconds; what the client says it is where that is new, whether it disagrees,
--         and the grant's next revision; then, of each decision, what append (stream.lua) takes
-- The grant remembers when it was used, to the minute, so that not every call writes that.
-- Answers with a word first:
--   written  and the Atlassian token, where the caller has an older one, the entries' ids, and which process
--            of Redis this is
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

  local policy_rev = policy_revision(keys[3])
  local groups_rev = redis.call('HGET', keys[4], 'rev') or '0'
  if grant_rev ~= args[2] or policy_rev ~= args[3] or groups_rev ~= args[4] then
    local fresh, policy, groups = {}, {}, {}
    if grant_rev ~= args[2] then fresh = redis.call('HGETALL', keys[2]) end
    if policy_rev ~= args[3] then policy = redis.call('HGETALL', keys[3]) end
    if groups_rev ~= args[4] then groups = redis.call('HGETALL', keys[4]) end
    return { 'stale', upstream, fresh, policy, groups, policy_rev, groups_rev }
  end

  for i = 8, #keys do
    local holder = redis.call('GET', keys[i])
    if holder and holder ~= args[8] then
      return { 'foreign', tostring(i - 7) }
    end
  end

  if redis.call('XLEN', keys[6]) >= tonumber(args[6]) then
    return { 'full' }
  end
  for i = 8, #keys do
    redis.call('SET', keys[i], args[8], 'EX', args[9])
  end
  if args[10] ~= '' then
    redis.call('HSET', keys[2], 'client_info', args[10], 'client_mismatch', args[11], 'rev', args[12])
  end
  local seconds = tonumber(redis.call('TIME')[1])
  if seconds - tonumber(grant[3] or '0') >= 60 then
    redis.call('HSET', keys[2], 'used_at', seconds)
  end
  local ids = {}
  for i = 13, #args, 4 do
    ids[#ids + 1] = append(keys[6], keys[7], args, i)
  end
  return { 'written', upstream, ids, appended_by() }
end

redis.register_function('sallyport_decide', decide)
