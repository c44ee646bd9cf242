-- Requests for wrk: bodies as the Web SDK sends them, about 2 KB, of thousands of visitors, each under a request id of its
-- own. Everything but the id is put together before the load begins, so that this side is never the slower one.
math.randomseed(os.time() + math.floor(os.clock() * 1e6))

local template = assert(io.open(os.getenv('WEIR_BENCH_BODY'))):read('*a')
local before, after = template:match('^(.*)@COOKIE@(.*)$')
local headers = {
  ['Content-Type'] = 'text/plain; charset=UTF-8',
  ['Origin'] = 'https://www.shop.test',
  ['Referer'] = 'https://www.shop.test/p.html?x=1',
  ['User-Agent'] = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  ['Accept'] = '*/*',
  ['Accept-Encoding'] = 'gzip, deflate, br, zstd',
  ['Accept-Language'] = 'en-US,en;q=0.9',
  ['sec-ch-ua'] = '"Not:A-Brand";v="8", "Chromium";v="156"',
  ['sec-ch-ua-mobile'] = '?0',
  ['sec-ch-ua-platform'] = '"Linux"',
}

local start, rests = nil, {}
init = function()
  for cookie in io.lines(os.getenv('WEIR_BENCH_COOKIES')) do
    local whole = wrk.format('POST', '/ee/v1/interact?configId=bench&requestId=@ID@', headers, before .. cookie .. after)
    local first, rest = whole:match('^(.-)@ID@(.*)$')
    start, rests[#rests + 1] = first, rest
  end
end

local run = string.format('%08x-0000-4000-a000-', math.random(0, 2 ^ 31))
local count = 0
request = function()
  count = count + 1
  return start .. run .. string.format('%012d', count) .. rests[count % #rests + 1]
end
