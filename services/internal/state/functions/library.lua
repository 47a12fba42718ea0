#!lua name=sallyport

-- The functions that must do all of their work or none of it. Redis runs a function whole, with
-- nothing in between. Keys are declared by the caller and share one hash tag. What a file uses
-- of another stands in one before it; store.go says in which order they are read.

-- now is Redis's time in Unix milliseconds: the one clock that all replicas share.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- prolong has a key live for some seconds at least.
local function prolong(key, life)
  if redis.call('TTL', key) < tonumber(life) then
    redis.call('EXPIRE', key, life)
  end
end
