import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Hmac } from '../../src/stages/hmac.ts';

const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 1_000, maxLength: 2_000 }));
/** Texts are signed as the UTF-8 that they are sent as, half characters too. */
const parts = fc.oneof(bytes, fc.string({ unit: 'binary', maxLength: 300 }), fc.constant('x\ud800'));

test('is HMAC-SHA-256 as Node makes it, of any key and parts, one message after the other', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.array(parts, { maxLength: 3 }), { minLength: 1, maxLength: 3 }), (key, messages) => {
      const hmac = new Hmac(key);
      for (const message of messages) {
        const whole = Buffer.concat(message.map((part) => Buffer.from(part as string)));
        const expected = createHmac('sha256', key).update(whole).digest('hex');
        expect(hmac.digest('hex', ...message)).toBe(expected);
        expect(Buffer.from(hmac.digest('binary', ...message), 'latin1').toString('hex')).toBe(expected);
      }
    }),
  );
});

test.each([0, 1, 32, 63, 64, 65, 128])('takes a key of %i bytes', (length) => {
  const key = Buffer.alloc(length, 0xa5);
  const text = Buffer.from('what is signed');
  const digest = Buffer.from(new Hmac(key).digest('binary', text), 'latin1');
  expect(digest).toEqual(createHmac('sha256', key).update(text).digest());
});

test('leaves the key as it was', () => {
  const key = Buffer.alloc(32, 7);
  new Hmac(key).digest('hex', Buffer.from('text'));
  expect(key).toEqual(Buffer.alloc(32, 7));
});
