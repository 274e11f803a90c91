-- A script of wrk that signs in one account after the other. Arguments: a file of addresses.

local addresses, number = {}, 0
signed_in, wrong, example = 0, 0, ""

function setup(thread)
  threads = threads or {}
  table.insert(threads, thread)
end

function init(args)
  for line in io.lines(args[1]) do
    table.insert(addresses, line)
  end
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  number = number + 1
  local body = '{"email":"' .. addresses[number % #addresses + 1] .. '","password":"a long password"}'
  return wrk.format("POST", "/v1/auth/login", nil, body)
end

function response(status, headers, body)
  if status == 200 then
    signed_in = signed_in + 1
  else
    wrong = wrong + 1
    example = status .. " " .. body
  end
end

function done(summary, latency, requests)
  local good, bad, seen = 0, 0, ""
  for _, thread in ipairs(threads) do
    good, bad = good + thread:get("signed_in"), bad + thread:get("wrong")
    seen = thread:get("example")
  end
  io.write(string.format("\n@ %d %d %d %d %d %s\n", summary.duration, good, bad,
    latency:percentile(50), latency:percentile(99), seen))
end
