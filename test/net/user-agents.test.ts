import { expect, test } from 'vitest';
import { USER_AGENT_CHARACTERS_MAX, USER_AGENTS_KEPT_MAX, UserAgents } from '../../src/net/user-agents.ts';

const agents = new UserAgents();

/** User agent; browser, system, device type, bot. */
test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
    'Chrome',
    'Windows',
    null,
    false,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15',
    'Safari',
    'Mac OS',
    null,
    false,
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
    'Mobile Safari',
    'iOS',
    'mobile',
    false,
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1',
    'Mobile Safari',
    'iOS',
    'tablet',
    false,
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0', 'Firefox', 'Linux', null, false],
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', null, null, null, true],
  ['curl/8.5.0', null, null, null, true],
  ['', null, null, null, false],
])('%s', (text, browser, os, deviceType, isBot) => {
  const parsed = agents.parse(text);
  expect([parsed.browser.name, parsed.os.name, parsed.deviceType, parsed.isBot]).toEqual([
    browser,
    os,
    deviceType,
    isBot,
  ]);
});

test('those that came last are remembered, and no more than there is room for', () => {
  const few = new UserAgents(4);
  const first = few.parse('first/1');
  for (let i = 0; i < 10; i++) {
    few.parse(`other/${i}`);
    expect(few.parse('first/1')).toBe(first);
    expect(few.kept).toBeLessThanOrEqual(4);
  }
  for (let i = 0; i < 4; i++) few.parse(`another/${i}`);
  expect(few.parse('first/1')).not.toBe(first);
  const many = new UserAgents();
  for (let i = 0; i <= USER_AGENTS_KEPT_MAX; i++) many.parse(`x/${i}`);
  expect(many.kept).toBeLessThanOrEqual(USER_AGENTS_KEPT_MAX);
});

test('long and hostile user agents are read in no time', () => {
  for (const piece of ['Mozilla/5.0 (', ' ', 'Android ', ';', 'a', 'Build/', 'samsung SM-', '((((', 'Opera Mini/']) {
    const text = piece.repeat(5_000);
    // Of some that remember nothing the fastest, because the machine does other things too.
    const tookMs = Array.from({ length: 5 }, () => {
      const fresh = new UserAgents();
      const started = performance.now();
      fresh.parse(text);
      return performance.now() - started;
    });
    expect(Math.min(...tookMs)).toBeLessThan(100);
  }
  const long = 'x'.repeat(USER_AGENT_CHARACTERS_MAX);
  expect(agents.parse(`${long}y`)).toBe(agents.parse(`${long}z`));
});
