import { describe, expect, test } from 'vitest';
import { originProblem } from '../../src/config/origins.ts';

describe('origins that browsers send', () => {
  test.each([
    'https://shop.example',
    'http://localhost',
    'http://localhost:8080',
    'https://shop.example:8443',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://xn--bcher-kva.example',
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'http://a_b.example',
  ])('%s', (origin) => {
    expect(originProblem(origin)).toBeNull();
  });
});

describe('what can never equal an Origin header, with the remedy', () => {
  test.each([
    ['*', 'Patterns are not taken.'],
    ['https://*.shop.example', 'Patterns are not taken.'],
    ['null', 'it admits everyone'],
    ['', 'a scheme, a host'],
    ['shop.example', 'such as https://shop.example'],
    ['//shop.example', 'such as https://shop.example'],
    ['https://', 'such as https://shop.example'],
    ['https://shop.example/', 'here: https://shop.example.'],
    ['https://shop.example/cart?x=1#y', 'here: https://shop.example.'],
    ['https://user:secret@shop.example', 'here: https://shop.example.'],
    ['https://shop.example, https://b.example', 'such as https://shop.example'],
    ['HTTPS://Shop.Example', 'Write https://shop.example.'],
    ['https://shop.example:443', 'Write https://shop.example.'],
    ['http://shop.example:80', 'Write http://shop.example.'],
    ['https://Shop.example:443', 'Write https://shop.example.'],
    ['http://[0:0:0:0:0:0:0:1]:80', 'Write http://[0:0:0:0:0:0:0:1].'],
    ['http://[0:0:0:0:0:0:0:1]', 'Write http://[::1].'],
    ['https://bücher.example', 'Write https://xn--bcher-kva.example.'],
    ['http://127.1', 'Write http://127.0.0.1.'],
    ['https://shop.example:0443', 'Write https://shop.example'],
    ['https://shop.example:99999', 'The host or the port is none.'],
    ['https://shop.example:', 'Write https://shop.example.'],
  ])('%s', (origin, remedy) => {
    expect(originProblem(origin)).toContain(remedy);
  });
});
