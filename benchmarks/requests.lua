-- A script of wrk that sends the requests of a file, one after the other, and checks the answers.
-- Arguments: the file (requests that end with a zero byte), the status and a part of the body that each answer
-- must have, and whether the requests may be sent again after the last one ("again") or not ("once").

local requests, number, again = {}, 0, false
local status_expected, part_expected = 0, ""
acknowledged, wrong, example, exhausted = 0, 0, "", 0

function setup(thread)
  threads = threads or {}
  table.insert(threads, thread)
end

function init(args)
  local file = io.open(args[1], "rb")
  for each in file:read("*a"):gmatch("([^%z]+)%z") do
    table.insert(requests, each)
  end
  file:close()
  status_expected, part_expected, again = tonumber(args[2]), args[3], args[4] == "again"
end

function request()
  number = number + 1
  if number > #requests and not again then
    exhausted = 1
  end
  return requests[(number - 1) % #requests + 1]
end

function response(status, headers, body)
  if status == status_expected and (part_expected == "" or body:find(part_expected, 1, true)) then
    acknowledged = acknowledged + 1
  else
    wrong = wrong + 1
    example = status .. " " .. body
  end
end

function done(summary, latency)
  local answered, refused, seen, ended = 0, 0, "", 0
  for _, thread in ipairs(threads) do
    answered, refused = answered + thread:get("acknowledged"), refused + thread:get("wrong")
    seen, ended = thread:get("example"), thread:get("exhausted")
  end
  local sockets = summary.errors
  io.write(string.format("\n@ %d %d %d %d %d %d %d %d %s\n", summary.duration, answered, refused,
    sockets.connect + sockets.read + sockets.write + sockets.timeout,
    latency:percentile(50), latency:percentile(99), latency.max, ended, seen))
end
