import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuditLog, LINE_BYTES_MAX } from '../../src/admin/audit-log.ts';
import { tempFolder } from '../support/temp-folder.ts';

const entry = (mark: string) => ({ what: 'token.created', who: { kind: 'test' }, details: { mark } }) as const;

async function logOf(...marks: string[]) {
  const folder = join(tempFolder(), 'admin');
  const log = new AuditLog(folder);
  for (const mark of marks) await log.append(entry(mark));
  const file = join(folder, 'audit.jsonl');
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n');
  return { log, file, lines, marks: async () => (await log.read(0, 1000)).map(({ details }) => details['mark']) };
}

test('a log that nobody wrote is empty and whole', async () => {
  const { log, marks } = await logOf();
  expect(await log.state()).toEqual({ entries: 0, head: { seq: 0, hash: '0'.repeat(64) }, broken: null });
  expect(await marks()).toEqual([]);
});

test('entries follow each other, in a file that only the server’s user reads', async () => {
  const { log, file, marks } = await logOf('a', 'b', 'c');
  expect(await marks()).toEqual(['a', 'b', 'c']);
  expect((await log.read(1, 1)).map(({ seq }) => seq)).toEqual([2]);
  const state = await log.state();
  expect(state).toMatchObject({ entries: 3, head: { seq: 3 }, broken: null });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // Another process goes on where this one was.
  await new AuditLog(join(file, '..')).append(entry('d'));
  expect(await log.state()).toMatchObject({ entries: 4, head: { seq: 4 }, broken: null });
});

describe('what a crash left half written', () => {
  test.each([
    ['part of a line', '{"seq":2,"at":"20'],
    ['zeros', '\0'.repeat(300)],
    ['a line without its line break', '{"seq":2}'],
  ])('%s is cut off by the next entry and was never read', async (_, torn) => {
    const { log, file, marks } = await logOf('a');
    appendFileSync(file, torn);
    expect(await log.state()).toMatchObject({ entries: 1, broken: null });
    await log.append(entry('b'));
    expect(await log.state()).toMatchObject({ entries: 2, broken: null });
    expect(await marks()).toEqual(['a', 'b']);
  });

  test('also where nothing else is there', async () => {
    const { log, file, marks } = await logOf('a');
    writeFileSync(file, '{"seq":1');
    await log.append(entry('b'));
    expect([await marks(), (await log.state()).broken]).toEqual([['b'], null]);
  });
});

describe('the chain tells of', () => {
  const whole = async () => await logOf('a', 'b', 'c', 'd');

  test('a line that was taken out, moved, or put in again', async () => {
    for (const change of [
      (lines: string[]) => lines.toSpliced(1, 1),
      (lines: string[]) => lines.toSpliced(0, 1),
      (lines: string[]) => [lines[1]!, lines[0]!, ...lines.slice(2)],
      (lines: string[]) => lines.toSpliced(2, 0, lines[1]!),
    ]) {
      const { log, file, lines } = await whole();
      writeFileSync(file, change(lines()).join('\n'));
      expect((await log.state()).broken).toMatch(/^Line \d of audit\.jsonl does not follow/);
    }
  });

  test('every byte that was changed, the last line’s too', async () => {
    const { file, log } = await whole();
    const bytes = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        writeFileSync(file, changed);
        expect((await new AuditLog(join(file, '..')).state()).broken).not.toBeNull();
      }),
      // A line feed that becomes a carriage return: both end a line to some readers.
      { numRuns: 60, examples: [[bytes.indexOf(0x0a), 0x0a ^ 0x0d]] },
    );
    writeFileSync(file, bytes);
    expect((await log.state()).broken).toBeNull();
  });

  test('and goes on: what is entered after damage is read, and the damage stays told', async () => {
    const { log, file, lines, marks } = await whole();
    writeFileSync(file, lines().with(3, lines()[3]!.replace('"d"', '"x"')).join('\n'));
    await log.append(entry('e'));
    expect(await marks()).toEqual(['a', 'b', 'c', 'e']);
    expect((await log.state()).broken).toContain('Line 4');
  });
});

test(`an entry takes at most ${LINE_BYTES_MAX} bytes, and a refused one leaves nothing`, async () => {
  const { log } = await logOf('a');
  const bytesOf = (line: object) => Buffer.byteLength(JSON.stringify(line)) + 1;
  const most = LINE_BYTES_MAX - bytesOf(await log.append(entry('')));
  await expect(log.append(entry('x'.repeat(most + 1)))).rejects.toThrow('too long');
  await log.append(entry('x'.repeat(most)));
  expect(await log.state()).toMatchObject({ entries: 3, broken: null });
  expect((await log.append(entry('after the longest'))).seq).toBe(4);
});
