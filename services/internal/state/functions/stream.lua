-- set_aside moves an entry out of the activity stream, to those that Elasticsearch refuses. An entry that
-- isn't in the stream was moved before, by a request whose answer was lost.
--   keys: stream, rejected
--   args: the consumer group, the entry's id in the stream; its kind, the record's id, its index, the record
--         as JSON, and the reason
local function set_aside(keys, args)
  redis.call('XACK', keys[1], args[1], args[2])
  if redis.call('XDEL', keys[1], args[2]) == 1 then
    redis.call('XADD', keys[2], '*', 'kind', args[3], 'id', args[4], 'index', args[5], 'doc', args[6], 'reason', args[7])
  end
  return { 'aside' }
end

-- retry_aside moves entries that are kept aside to the end of the activity stream, as long as that has room.
--   keys: stream, rejected
--   args: the stream's limit; the first and the last id among those aside, and how many are looked at; what
--         the reason has to begin with
-- Answers 'moved' or 'full', how many were moved, and the id of the last that was looked at, empty for none.
local function retry_aside(keys, args)
  local room = tonumber(args[1]) - redis.call('XLEN', keys[1])
  local moved, last = 0, ''
  for _, entry in ipairs(redis.call('XRANGE', keys[2], args[2], args[3], 'COUNT', args[4])) do
    local field = {}
    for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
    if string.sub(field.reason, 1, #args[5]) == args[5] then
      if moved >= room then
        return { 'full', moved, last }
      end
      redis.call('XADD', keys[1], '*', 'kind', field.kind, 'id', field.id, 'index', field.index, 'doc', field.doc)
      redis.call('XDEL', keys[2], entry[1])
      moved = moved + 1
    end
    last = entry[1]
  end
  return { 'moved', moved, last }
end

-- replace_aside keeps an entry aside in another form, if it is still there.
--   keys: rejected
--   args: the entry's id among those aside; its kind, the record's id, its index, the record as JSON, and the
--         reason
-- Answers 'replaced' or 'gone'.
local function replace_aside(keys, args)
  if redis.call('XDEL', keys[1], args[1]) == 0 then
    return { 'gone' }
  end
  redis.call('XADD', keys[1], '*', 'kind', args[2], 'id', args[3], 'index', args[4], 'doc', args[5], 'reason', args[6])
  return { 'replaced' }
end

redis.register_function('sallyport_set_aside', set_aside)
redis.register_function('sallyport_replace_aside', replace_aside)
redis.register_function('sallyport_retry_aside', retry_aside)
