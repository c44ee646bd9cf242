import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isKeyOfBefore, KEY_BYTES, type KeyPlace, secretKeys } from '../../src/config/secret-key.ts';
import { tempFolder } from '../support/temp-folder.ts';

const HEX = '0f'.repeat(KEY_BYTES);
const secretKey = async (at: KeyPlace, environment: NodeJS.ProcessEnv): Promise<Buffer> =>
  (await secretKeys(at, environment, 1))[0]!;
const place = (folder: string, file: string | null = null) => ({
  variable: 'WEIR_TEST_KEY',
  file,
  ownFile: join(folder, 'keys/test.key'),
});

describe('a secret key', () => {
  test('is made once, for its owner alone, and is the same ever after', async () => {
    const folder = tempFolder();
    const key = await secretKey(place(folder), {});
    expect(key).toHaveLength(KEY_BYTES);
    expect(statSync(join(folder, 'keys/test.key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder, 'keys/test.key'), 'utf8')).toBe(`${key.toString('hex')}\n`);
    expect(await secretKey(place(folder), {})).toEqual(key);
    expect(await secretKey(place(tempFolder()), {})).not.toEqual(key);
  });

  test('of the environment comes before the file, and the file before the server’s own', async () => {
    const folder = tempFolder();
    await secretKey(place(folder), {});
    const file = join(folder, 'given');
    writeFileSync(file, `\n${HEX.toUpperCase()}\n`);
    expect((await secretKey(place(folder, file), {})).toString('hex')).toBe(HEX);
    const other = '1e'.repeat(KEY_BYTES);
    expect((await secretKey(place(folder, file), { WEIR_TEST_KEY: other })).toString('hex')).toBe(other);
  });

  test.each(['', 'secret', HEX.slice(1), `${HEX}0`, HEX.replace('0', 'g')])(
    'that is none is refused, and not repeated: %j',
    async (text) => {
      const folder = tempFolder();
      mkdirSync(join(folder, 'keys'));
      writeFileSync(join(folder, 'keys/test.key'), text);
      const fromFile = secretKey(place(folder), {});
      await expect(fromFile).rejects.toThrow(
        /keys.test\.key does not hold what it should: one key of 64 hexadecimal digits/,
      );
      const fromVariable = secretKey(place(folder), { WEIR_TEST_KEY: text });
      await expect(fromVariable).rejects.toThrow(/variable WEIR_TEST_KEY does not hold/);
      if (text !== '') await expect(fromVariable).rejects.not.toThrow(text);
    },
  );

  test('may be several where that is asked for, one a line or with commas between', async () => {
    const two = [HEX, '1e'.repeat(KEY_BYTES)];
    for (const text of [`${two[0]}\n${two[1]}\n`, ` ${two[0]},${two[1]} `, two.join(', ')]) {
      const keys = await secretKeys(place('/nowhere'), { WEIR_TEST_KEY: text }, 2);
      expect(keys.map((key) => key.toString('hex'))).toEqual(two);
      await expect(secretKeys(place('/nowhere'), { WEIR_TEST_KEY: text }, 1)).rejects.toThrow(/one key of 64/);
    }
    const three = { WEIR_TEST_KEY: [...two, HEX].join(' ') };
    await expect(secretKeys(place('/nowhere'), three, 2)).rejects.toThrow(/1 to 2 keys of 64/);
  });

  test('a file that the operator names is not made', async () => {
    const folder = tempFolder();
    await expect(secretKey(place(folder, join(folder, 'absent')), {})).rejects.toThrow(/absent/);
  });
});

test('a key is known for the one of before, without being kept', async () => {
  const file = join(tempFolder(), 'keys/test.id');
  const [key, other] = [Buffer.alloc(KEY_BYTES, 1), Buffer.alloc(KEY_BYTES, 2)];
  expect([await isKeyOfBefore(file, key), await isKeyOfBefore(file, key), await isKeyOfBefore(file, other)]).toEqual([
    true,
    true,
    false,
  ]);
  expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{16}\n$/);
  expect(await isKeyOfBefore(file, key)).toBe(true);
});
