import { expect, test } from 'vitest';
import { clientFacts } from '../../src/language/client.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { UserAgents } from '../../src/net/user-agents.ts';

const { parse } = new UserAgents();
const WINDOWS =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36';
const ANDROID =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36';
const EDGE_BRANDS = '"Chromium";v="124", "Microsoft Edge";v="124", "Not-A.Brand";v="99"';

const client = (userAgent: string, headers: Record<string, string> = {}, xdm: JsonObject = {}): JsonObject =>
  clientFacts({ userAgent, headers, xdm, parse });

test('by the user agent alone', () => {
  expect(client(WINDOWS)).toEqual({
    browser: { name: 'Chrome', version: '124.0.0.0', major: '124' },
    os: { name: 'Windows', version: '10' },
    device: { vendor: null, model: null },
    deviceType: 'desktop',
    isBot: false,
    hints: { platform: null, platformVersion: null, model: null, mobile: null, architecture: null, bitness: null },
  });
});

test('the hints of headers know better than the user agent', () => {
  const headers = {
    'sec-ch-ua': EDGE_BRANDS,
    'sec-ch-ua-mobile': '?0',
    'sec-ch-ua-platform': '"Windows"',
    'sec-ch-ua-platform-version': '"15.0.0"',
    'sec-ch-ua-full-version-list':
      '"Not-A.Brand";v="99.0.0.0", "Microsoft Edge";v="124.0.2478.51", "Chromium";v="124.0.6367.61"',
  };
  expect(client(WINDOWS, headers)).toMatchObject({
    browser: { name: 'Edge', version: '124.0.2478.51', major: '124' },
    os: { name: 'Windows', version: '11' },
    deviceType: 'desktop',
    hints: { platform: 'Windows', platformVersion: '15.0.0', mobile: false },
  });
});

test('the hints that the Web SDK collects', () => {
  const xdm = {
    environment: {
      browserDetails: {
        userAgentClientHints: {
          architecture: 'arm',
          bitness: '64',
          model: 'Pixel 9 Pro',
          platformVersion: '16.0.0',
          wow64: false,
        },
      },
    },
  };
  const headers = {
    'sec-ch-ua': '"Google Chrome";v="124"',
    'sec-ch-ua-mobile': '?1',
    'sec-ch-ua-platform': '"Android"',
  };
  expect(client(ANDROID, headers, xdm)).toMatchObject({
    browser: { name: 'Chrome', version: '124' },
    os: { name: 'Android', version: '16.0.0' },
    device: { model: 'Pixel 9 Pro' },
    deviceType: 'mobile',
    hints: { architecture: 'arm', bitness: '64' },
  });
});

test('Windows by the version of its platform. Documented.', () => {
  const version = (platformVersion: string): unknown =>
    client(WINDOWS, { 'sec-ch-ua-platform': '"Windows"', 'sec-ch-ua-platform-version': `"${platformVersion}"` })['os'];
  expect(version('13.0.0')).toEqual({ name: 'Windows', version: '11' });
  expect(version('10.0.0')).toEqual({ name: 'Windows', version: '10' });
  expect(version('0.3.0')).toEqual({ name: 'Windows', version: '10' });
});

test.each([
  ['"Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126"', 'Chrome', '126'],
  ['"Chromium";v="126", "Not:A-Brand";v="24"', 'Chromium', '126'],
  ['"Opera";v="110", "Chromium";v="124", " Not A;Brand";v="99"', 'Opera', '110'],
  ['"HeadlessChrome";v="124", "Not A(Brand";v="99"', 'Chrome Headless', '124'],
  // Nothing that can be read: the user agent's.
  ['Chromium', 'Chrome', '124.0.0.0'],
  [`"${'x'.repeat(2_000)}";v="1"`, 'Chrome', '124.0.0.0'],
])('brands %s', (brands, name, version) => {
  expect(client(WINDOWS, { 'sec-ch-ua': brands })['browser']).toMatchObject({ name, version });
});

test('an event that brings a user agent is about that one, and not about who forwarded it', () => {
  const headers = { 'sec-ch-ua': EDGE_BRANDS, 'sec-ch-ua-platform': '"Windows"' };
  const xdm = { environment: { browserDetails: { userAgent: ANDROID } } };
  expect(client('node', headers, xdm)).toMatchObject({
    browser: { name: 'Chrome' },
    os: { name: 'Android' },
    deviceType: 'mobile',
    hints: { platform: null },
  });
});

test('apps have no user agent: what the event says of the system', () => {
  const xdm = {
    environment: { operatingSystem: 'iOS', operatingSystemVersion: '17.4' },
    device: { manufacturer: 'apple', model: 'iPhone16,1', type: 'mobile' },
  };
  expect(client('', {}, xdm)).toMatchObject({
    os: { name: 'iOS', version: '17.4' },
    device: { vendor: 'apple', model: 'iPhone16,1' },
    deviceType: 'mobile',
  });
});

test('nothing known, and nothing sensible', () => {
  expect(client('')).toMatchObject({
    browser: { name: null },
    os: { name: null },
    deviceType: 'unknown',
    isBot: false,
  });
  const xdm = {
    environment: { browserDetails: { userAgent: 5, userAgentClientHints: [1] }, operatingSystem: {} },
    device: null,
  };
  expect(client('', {}, xdm as unknown as JsonObject)).toMatchObject({ os: { name: null }, deviceType: 'unknown' });
});

test('bots', () => {
  expect(client('Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)')['isBot']).toBe(true);
});
