-- process tells which process of Redis has the keys.
--   keys: process
-- Answers its run_id, and its role: 'master' or 'slave', as Redis calls them.
local function process()
  local info = redis.call('INFO', 'server', 'replication')
  return { string.match(info, 'run_id:(%x+)'), string.match(info, 'role:(%a+)') }
end

-- It is asked also of a Redis that has no room, or can't write: others say so then.
redis.register_function({ function_name = 'sallyport_process', callback = process, flags = { 'no-writes' } })
