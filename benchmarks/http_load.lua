-- What 64 connections send: of ten requests five identify, two login, two search, one logout; users come back.
-- wrk gives each thread a state of its own.

-- How many users there are may be given behind --; among few of them, requests meet one another.

local threads, n, id, users = 0, 0, 0, 200000

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init(args)
  users = tonumber(args[1]) or users
end

local headers = { ["x-mp-key"] = "load-key", ["content-type"] = "application/json" }
local client = '"client_sdk":{"platform":"web","sdk_vendor":"mparticle","sdk_version":"2.68.0"},"context":null,'
  .. '"environment":"production","request_timestamp_ms":1717200000000,"previous_mpid":null'

request = function()
  n = n + 1
  local user = (n * 7919 + id * 104729) % users
  local kind, customer = n % 10, user % math.floor(users / 4)
  local path, identities = "/v1/identify", string.format('"ios_idfv":"load-%d"', user)
  if kind >= 9 then
    path = "/v1/logout"
  elseif kind >= 7 then
    path, identities = "/v1/search", string.format('"customerid":"load-%d"', customer)
  elseif kind >= 5 then
    path = "/v1/login"
    identities = string.format('%s,"customerid":"load-%d","email":"load-%d@example.com"', identities, customer, customer)
  end
  local body = string.format('{%s,"request_id":"%d-%d","known_identities":{%s}}', client, id, n, identities)
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency)
  io.write(string.format(
    '{"requests": %d, "us": %d, "p99_us": %d, "lost": %d, "statuses_of_400_and_more": %d}\n',
    summary.requests, summary.duration, latency:percentile(99),
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status
  ))
end
