-- Requests for wrk: bodies as the Web SDK sends them, about 2 KB, of thousands of visitors, each under a request id of its
-- own. Everything but the id is put together before the load begins, so that this side is never the slower one.
math.randomseed(os.time() + math.floor(os.clock() * 1e6))

local folder = os.getenv('WEIR_BENCH_INPUTS')
-- One request in so many is a visitor's first; 0 is none.
local first_every = tonumber(os.getenv('WEIR_BENCH_FIRST_EVERY') or '0')
local function content(name) return assert(io.open(folder .. '/' .. name)):read('*a') end
local before, after = content('body-known'):match('^(.*)@COOKIE@(.*)$')
local first_body = content('body-first')
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

-- A request around its id.
local function parts(body)
  return wrk.format('POST', '/ee/v1/interact?configId=bench&requestId=@ID@', headers, body):match('^(.-)@ID@(.*)$')
end

local start, rests, first_rest = nil, {}, nil
init = function()
  start, first_rest = parts(first_body)
  for cookie in io.lines(folder .. '/cookies') do
    local _, rest = parts(before .. cookie .. after)
    rests[#rests + 1] = rest
  end
end

local run = string.format('%08x-0000-4000-a000-', math.random(0, 2 ^ 31))
local count = 0
request = function()
  count = count + 1
  local is_first = first_every > 0 and count % first_every == 0
  return start .. run .. string.format('%012d', count) .. (is_first and first_rest or rests[count % #rests + 1])
end
