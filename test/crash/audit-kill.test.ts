import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AuditLog } from '../../src/admin/audit-log.ts';
import { adminTokens } from '../../src/server.ts';
import { Random } from '../sim/random.ts';
import { tempFolder } from '../support/temp-folder.ts';

/**
 * Two commands that change tokens of the same folder are killed at a random moment, again and again. No entry of the
 * audit log is torn, none that was acknowledged is missing, and tokens are what was acknowledged.
 */
const ROUNDS = 30;
const WRITERS = 2;
const KILL_AFTER_MS = 60;
const SEED = Number(process.env['WEIR_SEED'] ?? Date.now() % 1_000_000);
const WRITER = fileURLToPath(new URL('audit-writer.mjs', import.meta.url));

test(`${ROUNDS} kills tear no audit entry and lose no change (seed ${SEED})`, async () => {
  const data = tempFolder();
  const random = new Random(SEED);
  const said: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const outputs = await Promise.all(Array.from({ length: WRITERS }, () => untilKilled(data, random)));
    said.push(...outputs.flat());
    expect(await new AuditLog(`${data}/admin`).state()).toMatchObject({ broken: null });
  }
  const tokens = await adminTokens(data);
  await tokens.recover();
  const entries = await new AuditLog(`${data}/admin`).read(0, 1_000_000);
  const entered = new Set(entries.map(({ what, details }) => `${what} ${String(details['id'])}`));
  const isRevoked = new Set(said.filter((line) => line.startsWith('revoked')).map((line) => line.split(' ')[1]!));
  for (const line of said) {
    const [what, id, text] = line.split(' ') as [string, string, string];
    expect(entered).toContain(`token.${what}`.concat(' ', id));
    // One whose revocation was under way may be either; one that was told of is.
    if (isRevoked.has(id)) expect(await tokens.find(text), line).toBeNull();
    else if (!entered.has(`token.revoked ${id}`)) expect(await tokens.find(text), line).not.toBeNull();
  }
  // Every token that is there was entered, and everything entered as created and not revoked is there.
  const live = new Set((await tokens.list()).map(({ id }) => id));
  const created = [...entered]
    .filter((entry) => entry.startsWith('token.created '))
    .map((entry) => entry.split(' ')[1]!);
  const gone = (id: string) => entered.has(`token.revoked ${id}`) || entered.has(`token.not-created ${id}`);
  expect([...live].sort()).toEqual(created.filter((id) => !gone(id)).sort());
  expect(said.length).toBeGreaterThan(ROUNDS);
});

/** The changes that a writer was told of before it was killed. */
async function untilKilled(data: string, random: Random): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), ended]);
  setTimeout(() => child.kill('SIGKILL'), random.below(KILL_AFTER_MS));
  const [code, signal] = await ended;
  expect([code, signal], 'a writer ended by itself').toEqual([null, 'SIGKILL']);
  return output.split('\n').slice(0, -1);
}
