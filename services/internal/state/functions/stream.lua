-- began is what the stream ended with when this process of Redis first appended to it, which process
-- had appended before, and which this is: what the one before answered and this one doesn't have is behind that
-- end. It is known to this process alone, and to no other, also not to a replica that takes over.
local began

-- position splits the id of an entry.
local function position(id)
  local time, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(number)
end

-- behind tells whether an entry comes after another in the stream.
local function behind(id, other)
  local time, number = position(id)
  local other_time, other_number = position(other)
  return time > other_time or time == other_time and number > other_number
end

local function begin(stream, process)
  local this = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  began = { last = '0-0', process = redis.call('GET', process), this = this }
  if began.process == this then
    -- Other functions were loaded into a process that goes on: where it began isn't known any more.
    began.process = false
  end
  if redis.call('EXISTS', stream) == 1 then
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then began.last = info[i + 1] end
    end
  end
  redis.call('SET', process, this)
end

-- append appends an entry to the stream and returns its id.
--   stream, process: keys of the stream, and of which process of Redis appended last
--   entry: where in args are the entry's kind, the record's id, its index, and the record as JSON
local function append(stream, process, args, entry)
  if not began then begin(stream, process) end
  return redis.call('XADD', stream, '*', 'kind', args[entry], 'id', args[entry + 1], 'index', args[entry + 2], 'doc', args[entry + 3])
end

-- appended_by is which process of Redis has appended what was appended just now.
local function appended_by() return began and began.this or '' end

-- append_all appends halves of records, unless the stream is at its limit.
--   keys: stream, process
--   args: the stream's limit, 0 for none; then of each half those of append
-- Answers 'written', the entries' ids and which process this is, or 'full'.
local function append_all(keys, args)
  local limit = tonumber(args[1])
  if limit > 0 and redis.call('XLEN', keys[1]) >= limit then
    return { 'full' }
  end
  local ids = {}
  for i = 2, #args, 4 do
    ids[#ids + 1] = append(keys[1], keys[2], args, i)
  end
  return { 'written', ids, appended_by() }
end

-- restore appends again what Redis had answered and lost, as it does when it is killed while it syncs its
-- file, or before its replica had it. What it has, or had until it was indexed, isn't appended twice, where that can be told.
--   keys: stream, process
--   args: the run_id of the process that had answered; then of each entry the id it had, and those of append
-- Answers 'restored', the entries' ids, empty for those that were there, and which process this is.
local function restore(keys, args)
  if not began then begin(keys[1], keys[2]) end
  local ids = {}
  for i = 2, #args, 5 do
    local id = ''
    if began.process ~= args[1] or behind(args[i], began.last) then
      id = append(keys[1], keys[2], args, i + 1)
    end
    ids[#ids + 1] = id
  end
  return { 'restored', ids, appended_by() }
end

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
--   keys: stream, process, rejected, acknowledged
--   args: the stream's limit; the first and the last id among those aside, and how many are looked at; what
--         the reason has to begin with
-- Answers 'moved' or 'full', how many were moved, and the id of the last that was looked at, empty for none.
local function retry_aside(keys, args)
  local room = tonumber(args[1]) - redis.call('XLEN', keys[1])
  local moved, last = 0, ''
  for _, entry in ipairs(redis.call('XRANGE', keys[3], args[2], args[3], 'COUNT', args[4])) do
    local field = {}
    for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
    if string.sub(field.reason, 1, #args[5]) == args[5] then
      if moved >= room then
        return { 'full', moved, last }
      end
      append(keys[1], keys[2], { field.kind, field.id, field.index, field.doc }, 1)
      redis.call('XDEL', keys[3], entry[1])
      redis.call('HDEL', keys[4], entry[1])
      moved = moved + 1
    end
    last = entry[1]
  end
  return { 'moved', moved, last }
end

-- replace_aside keeps an entry aside in another form, if it is still there.
--   keys: rejected, acknowledged
--   args: the entry's id among those aside; its kind, the record's id, its index, the record as JSON, the
--         reason, and who has acknowledged it and when as JSON, empty for nobody
-- Answers 'replaced' or 'gone'.
local function replace_aside(keys, args)
  if redis.call('XDEL', keys[1], args[1]) == 0 then
    return { 'gone' }
  end
  local id = redis.call('XADD', keys[1], '*', 'kind', args[2], 'id', args[3], 'index', args[4], 'doc', args[5], 'reason', args[6])
  redis.call('HDEL', keys[2], args[1])
  if args[7] ~= '' then
    redis.call('HSET', keys[2], id, args[7])
  end
  return { 'replaced' }
end

-- acknowledge_aside notes of entries that are kept aside that somebody has seen them, unless that was noted before.
--   keys: rejected, acknowledged
--   args: the first and the last id among those aside, and how many are looked at; who and when as JSON
-- Answers 'acknowledged', how many were looked at, of how many it was noted, and the id of the last, empty for none.
local function acknowledge_aside(keys, args)
  local noted, last = 0, ''
  local entries = redis.call('XRANGE', keys[1], args[1], args[2], 'COUNT', args[3])
  for _, entry in ipairs(entries) do
    noted = noted + redis.call('HSETNX', keys[2], entry[1], args[4])
    last = entry[1]
  end
  return { 'acknowledged', #entries, noted, last }
end

redis.register_function('sallyport_append', append_all)
redis.register_function('sallyport_restore', restore)
redis.register_function('sallyport_set_aside', set_aside)
redis.register_function('sallyport_replace_aside', replace_aside)
redis.register_function('sallyport_retry_aside', retry_aside)
redis.register_function('sallyport_acknowledge_aside', acknowledge_aside)
