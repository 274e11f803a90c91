-- What the scripts of wrk have in common: answers are counted, and the sums of all threads are printed at the end.

local threads = {}
acknowledged, wrong, exhausted, example = 0, 0, 0, ""

function setup(thread)
  table.insert(threads, thread)
end

function count(is_expected, status, body)
  if is_expected then
    acknowledged = acknowledged + 1
  else
    wrong = wrong + 1
    example = status .. " " .. body
  end
end

function done(summary, latency)
  local good, bad, ended, seen = 0, 0, 0, ""
  for _, thread in ipairs(threads) do
    good, bad = good + thread:get("acknowledged"), bad + thread:get("wrong")
    ended, seen = ended + thread:get("exhausted"), thread:get("example")
  end
  local sockets = summary.errors
  io.write(string.format("\n@ %d %d %d %d %d %d %d %d %s\n", summary.duration, good, bad,
    sockets.connect + sockets.read + sockets.write + sockets.timeout,
    latency:percentile(50), latency:percentile(99), latency.max, ended, seen))
end
