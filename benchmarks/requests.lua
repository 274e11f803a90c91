-- A script of wrk that sends the requests of a file, one after the other, and checks the answers.
-- Arguments: the file (requests that end with a zero byte), the status and a part of the body that each answer
-- must have, and whether the requests may be sent again after the last one ("again") or not ("once").

dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "answers.lua")

local requests, number, again = {}, 0, false
local status_expected, part_expected = 0, ""

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
  local is_expected = status == status_expected and (part_expected == "" or body:find(part_expected, 1, true))
  count(is_expected, status, body)
end
