-- set_aside moves an entry out of the activity stream, to those that Elasticsearch refuses. An entry that
-- isn't in the stream was moved before, by a request whose answer was lost.
--   keys: stream, rejected
--   args: the consumer group, the entry's id in the stream; the record's id, its index, the record as JSON,
--         and the reason
local function set_aside(keys, args)
  redis.call('XACK', keys[1], args[1], args[2])
  if redis.call('XDEL', keys[1], args[2]) == 1 then
    redis.call('XADD', keys[2], '*', 'kind', 'rejected', 'id', args[3], 'index', args[4], 'doc', args[5], 'reason', args[6])
  end
  return { 'aside' }
end

redis.register_function('sallyport_set_aside', set_aside)
