-- A script of wrk that saves one answer with each request, of one candidate after the other.
-- Arguments: the path, a file of candidates, a file of questions, the number of the first request, and the
-- milliseconds for which a connection rests before each request.
-- The answers are checked here; what they acknowledge is looked for in the database by benchmarks/saves.py.

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "answers.lua")

local candidates, questions, number, path = {}, {}, 0, ""

function init(args)
  path, number = args[1], tonumber(args[4])
  for line in io.lines(args[2]) do
    local token, attempt, lease = line:match("(%S+) (%S+) (%S+)")
    table.insert(candidates, {
      "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" ..
        "Authorization: Bearer " .. token .. "\r\nContent-Length: ",
      '{"attempt_id":"' .. attempt .. '","lease":' .. lease .. ',"responses":[{"question_id":"'
    })
  end
  for line in io.lines(args[3]) do
    table.insert(questions, line)
  end
  local rest = tonumber(args[5])
  if rest > 0 then
    -- The rests differ, so that connections do not send in step.
    function delay()
      return math.random(0, 2 * rest)
    end
  end
end

function request()
  local candidate = candidates[number % #candidates + 1]
  local turn = math.floor(number / #candidates)
  local question = questions[turn % #questions + 1]
  local revision = 1 + math.floor(turn / #questions)
  number = number + 1
  local body = candidate[2] .. question .. '","revision":' .. revision .. ',"answer":["b"],"time_spent_ms":5000}]}'
  return candidate[1] .. #body .. "\r\n\r\n" .. body
end

function response(status, headers, body)
  count(status == 200 and body:find('"saved":1', 1, true), status, body)
end
