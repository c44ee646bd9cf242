import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { ConsentOperation } from '../src/model/consent.ts';
import { mintEcid } from '../src/model/identity.ts';
import type { Json, JsonObject } from '../src/model/json.ts';
import type { Applied } from '../src/model/parts.ts';
import { type Change, personKey } from '../src/model/person.ts';
import { vendorBits } from '../src/model/tcf.ts';
import { LmdbState } from '../src/state/lmdb.ts';
import { machine } from './baseline.ts';

/**
 * A million known persons in embedded state: bytes on disk for each, as the database is after it grew by one request after the
 * other (`npm run bench:state [-- PERSONS]`), and how long a process takes to open it and read its first person. Of four
 * kinds: a choice by Adobe's standard, a customer (a device and a customer number that are linked, and the device's choice:
 * two persons in state), a choice by TCF with a thousand vendors,
 * of the same ones, as who agrees to everything is, and with some who choose for themselves.
 */

const PERSONS = 1_000_000;
/** The bars. */
const BYTES_MAX = 400;
const OPEN_MS_MAX = 1_000;
const OPENINGS = 5;
/** Records that are applied together, as the log does it under load. */
const BATCH = 64;
const ORG = '0123456789ABCDEF01234567@AdobeOrg';
const NOW_MS = Date.now();
const TIME = `${NOW_MS.toString(16).padStart(12, '0')}-0000`;

/** Of a tool that lists a thousand vendors of 1,300. */
const VENDORS = Array.from({ length: 1_000 }, (_, index) => index + 1 + Math.floor(index * 0.3));

const KINDS: Readonly<Record<string, (ecid: string, n: number) => readonly Change[]>> = {
  'a choice by Adobe 2.0': (ecid) => [choice(ecid, { collect: { val: 'y' }, version: '2.0' })],
  'a customer with a device': (ecid, n) => [
    choice(ecid, { collect: { val: 'y' }, version: '2.0' }),
    link('ECID', ecid, 'CRMID', String(10_000_000 + n)),
    link('CRMID', String(10_000_000 + n), 'ECID', ecid),
  ],
  'a choice by TCF, 1,000 vendors': (ecid) => [choice(ecid, { tcf: tcfOf(ecid, VENDORS) })],
  'the same, one in 20 of them with vendors of their own': (ecid, n) => [
    choice(ecid, { tcf: tcfOf(ecid, n % 20 === 0 ? VENDORS.filter(() => Math.random() < 0.5) : VENDORS) }),
  ],
};

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'open') await open(rest[0]!, rest[1]!);
else await main(Number(mode ?? PERSONS));

async function main(count: number): Promise<void> {
  console.log(`${machine()}, ${count} persons`);
  for (const [name, changesOf] of Object.entries(KINDS)) {
    const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
    try {
      const { persons, key } = await fill(folder, count, changesOf);
      const bytes = statSync(join(folder, 'state.mdb')).size / persons;
      const ms = median(Array.from({ length: OPENINGS }, () => openInProcess(folder, key)));
      console.log(
        `${name}: ${bytes.toFixed(0)} bytes a person (bar ${BYTES_MAX}: ${said(bytes <= BYTES_MAX)}), ` +
          `open and first read ${ms.toFixed(1)} ms (bar ${OPEN_MS_MAX}: ${said(ms <= OPEN_MS_MAX)})`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function said(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}

/** Resolves to how many persons there are by then, and one of them. */
async function fill(folder: string, count: number, changesOf: (ecid: string, n: number) => readonly Change[]) {
  const state = await LmdbState.open(folder, { limits: { flushPersons: 4096, pendingPersonsMax: 16_384 } });
  let persons = 0;
  let key = '';
  let batch: Applied[] = [];
  for (let offset = 0; persons < count; offset++) {
    const ecid = mintEcid(randomBytes(16).toString('hex'));
    const changes = changesOf(ecid, offset);
    persons += new Set(changes.map((change) => change.key)).size;
    key = changes[0]!.key;
    batch.push({ position: { partition: 0, offset }, changes });
    if (batch.length < BATCH) continue;
    await state.apply(batch);
    batch = [];
  }
  await state.apply(batch);
  await state.close();
  return { persons, key };
}

/** In a process of its own, as a start is. In milliseconds. */
function openInProcess(folder: string, key: string): number {
  const script = fileURLToPath(import.meta.url);
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, 'open', folder, key]);
  const ms = Number(stdout.toString());
  if (!(ms > 0)) throw new Error(`The database could not be opened: ${stderr}`);
  return ms;
}

async function open(folder: string, key: string): Promise<void> {
  const before = performance.now();
  const state = await LmdbState.open(folder);
  const person = state.get(key);
  const ms = performance.now() - before;
  await state.close();
  if (person === null) throw new Error('The person is not there.');
  process.stdout.write(String(ms));
}

function choice(ecid: string, value: JsonObject): Change {
  const body = { operation: 'replace' satisfies ConsentOperation, value, given: [], previous: null };
  return { kind: 'consent', key: personKey(ORG, 'ECID', ecid), time: TIME, body };
}

function link(namespace: string, id: string, other: string, otherId: string): Change {
  const body = { links: [[other, otherId, 'authenticated']] as Json };
  return { kind: 'identity', key: personKey(ORG, namespace, id), time: TIME, body };
}

/** Every purpose consented to, as most do. */
function tcfOf(ecid: string, vendors: readonly number[]): JsonObject {
  return {
    version: '2.2',
    hash: Buffer.from(ecid.slice(0, 32)).toString('base64url'),
    gdprApplies: true,
    gdprContainsPersonalData: false,
    purposes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    vendors: vendorBits(vendors),
    lastUpdatedMs: NOW_MS,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
