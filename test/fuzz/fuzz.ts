import { setImmediate as turn } from 'node:timers/promises';
import { encodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import { Random } from '../sim/random.ts';
import { NOW_MS, SEAL } from '../support/exchanges.ts';
import { type Answer, InProcess } from './in-process.ts';
import { describeInput, type Input, ORG, OTHER_ORG, samples } from './input.ts';
import { judge } from './judge.ts';
import { mutate } from './mutate.ts';

/** Requests between two looks at the whole, and to one server: what it remembers does not grow without end. */
const LOOK_EVERY = 250;
const ROUND = 10_000;

/** The seed of this run: always the same, so that a change does not hang on it, unless `WEIR_FUZZ_SEED` says another. */
export function fuzzSeed(): number {
  const given = process.env['WEIR_FUZZ_SEED'];
  const seed = given === undefined ? 1 : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`WEIR_FUZZ_SEED is '${given}', not an integer.`);
  return seed;
}

/** Cookies as this installation writes them, for both orgs, and one without a signature. */
export const COOKIES: readonly string[] = (() => {
  const cookie = {
    ecid: '2'.repeat(38),
    createdAtMs: NOW_MS,
    isNew: true,
    source: 'random',
    writtenAtMs: NOW_MS,
  } as const;
  const signed = [ORG, OTHER_ORG].map((org) =>
    encodeIdentityCookie(cookie, 'or2', (message) => SEAL.sign(org, message)),
  );
  return [...signed, encodeIdentityCookie(cookie, 'or2', null)];
})();

const SAMPLES = samples();
const GOOD = SAMPLES[0]!;

/** The input with this number: the same in every run with the same seed, whatever came before. */
export function inputAt(seed: number, number: number): Input {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
  return mutate(random.pick(SAMPLES), random, COOKIES);
}

/** Plays the inputs from `start` on; throws at the first that is answered wrongly. Returns how many answers had which status. */
export async function fuzz(seed: number, start: number, count: number): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>();
  let server = new InProcess();
  for (let number = start; number < start + count; number++) {
    const input = inputAt(seed, number);
    const { status } = await judged(server, input, `WEIR_FUZZ_SEED=${seed}, input ${number}`);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (number % LOOK_EVERY === 0) await look(server);
    if (number % ROUND === ROUND - 1) server = new InProcess();
  }
  await look(server);
  return statuses;
}

export async function judged(server: InProcess, input: Input, name: string): Promise<Answer> {
  try {
    const answer = await server.ask(input);
    judge(answer);
    if (server.log.fault !== null) throw server.log.fault;
    return answer;
  } catch (cause) {
    const told = server.told.length === 0 ? '' : `\noperator log: ${JSON.stringify(server.told)}`;
    throw new Error(`${name}: ${(cause as Error).message}\n${describeInput(input)}${told}`, { cause });
  }
}

/** A good request is still answered well and stored, nothing hangs, and no prototype was reached. */
async function look(server: InProcess): Promise<void> {
  const before = server.log.records;
  const again = { ...GOOD, target: GOOD.target.replace(/requestId=[^&]*/, `requestId=good-${before}`) };
  const { status } = await judged(server, again, 'a good request after the others');
  if (status !== 200 || server.log.records !== before + 1) throw new Error('A good request was not stored.');
  await turn();
  if (server.gateway.inFlight !== 0) throw new Error(`${server.gateway.inFlight} requests are not over.`);
  if (server.told.length > 0) throw new Error(`The operator log was told: ${JSON.stringify(server.told)}`);
  for (const name in {}) throw new Error(`Object.prototype has '${name}'.`);
}
