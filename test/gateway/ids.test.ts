import { describe, expect, test } from 'vitest';
import { isRequestId, requestIds } from '../../src/gateway/ids.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const OWN = new RegExp(`^${UUID}-[0-9a-f]{16}$`);

describe('a request id', () => {
  test.each(['a', 'A-Z_0.9:=', 'eae31ab8-7d83-41da-bd64-681f23094d78', 'x'.repeat(128)])(
    'of the client is kept: %s',
    (given) => {
      const ids = requestIds(given);
      expect(ids.clientRequestId).toBe(given);
      expect(ids.requestId.slice(0, -17)).toBe(given);
      expect(ids.requestId.slice(-17)).toMatch(/^-[0-9a-f]{16}$/);
    },
  );

  test.each(['', 'x'.repeat(129), 'a b', 'a\n', 'a/b', 'ä', 'a\u0000', '<script>', 'a;b', '"'])(
    'that cannot be used is replaced: %j',
    (given) => {
      expect(isRequestId(given)).toBe(false);
      const ids = requestIds(given);
      expect(ids.clientRequestId).toBeNull();
      expect(ids.requestId).toMatch(OWN);
    },
  );

  test('is made where none was given', () => {
    expect(requestIds(null)).toMatchObject({ clientRequestId: null, requestId: expect.stringMatching(OWN) });
  });

  test('no two are alike, seeds neither, over several refills of the pool', () => {
    const all = Array.from({ length: 1_000 }, () => requestIds('same'));
    expect(new Set(all.map((ids) => ids.requestId)).size).toBe(1_000);
    expect(new Set(all.map((ids) => ids.seed)).size).toBe(1_000);
  });

  test('the seed is 32 hex digits that the id does not show', () => {
    const { requestId, seed } = requestIds('same');
    expect(seed).toMatch(/^[0-9a-f]{32}$/);
    expect(seed).not.toContain(requestId.slice(-16));
  });
});
